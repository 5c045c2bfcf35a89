package io.socketproxy.http;

import io.socketproxy.fault.SocketFault;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.lang.reflect.RecordComponent;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.springdoc.core.annotations.ParameterObject;
import org.springframework.core.DefaultParameterNameDiscoverer;
import org.springframework.core.MethodParameter;
import org.springframework.util.ClassUtils;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.method.HandlerMethod;
import org.springframework.web.servlet.HandlerInterceptor;
import org.springframework.web.servlet.HandlerMapping;

/**
 * Refuses query parameters that an endpoint does not have, or that say nothing or two things: with a misspelt timeoutMs, or none
 * behind the equals sign, a call would wait for a minute.
 */
public final class KnownParameters implements HandlerInterceptor {
    private static final Pattern DECIMAL = Pattern.compile("-?[0-9]{1,19}");

    /** More than any name, address, list of flags or base64 of an address takes. */
    private static final int MAX_LENGTH = 2048;

    /** What a call takes: in its query, and in its body, where many look for the one what belongs in the other. */
    private record Known(Map<String, Class<?>> types, Set<String> inBody) {}

    private final Map<HandlerMethod, Known> known = new ConcurrentHashMap<>();

    @Override
    public boolean preHandle(HttpServletRequest request, HttpServletResponse response, Object handler) {
        if (request.getQueryString() != null && handler instanceof HandlerMethod method) {
            require(request, known.computeIfAbsent(method, call -> new Known(types(call), inBody(call))));
        }
        return true;
    }

    /** Whether the call that the request is for has a parameter of this name. */
    static boolean has(HttpServletRequest request, String name) {
        return request.getAttribute(HandlerMapping.BEST_MATCHING_HANDLER_ATTRIBUTE) instanceof HandlerMethod method
                && types(method).containsKey(name);
    }

    private static Set<String> inBody(HandlerMethod method) {
        Set<String> fields = new HashSet<>();
        for (MethodParameter parameter : method.getMethodParameters()) {
            if (parameter.hasParameterAnnotation(RequestBody.class)
                    && parameter.getParameterType().isRecord()) {
                for (RecordComponent component : parameter.getParameterType().getRecordComponents()) {
                    fields.add(component.getName());
                }
            }
        }
        return fields;
    }

    /**
     * Requires that the request has no others than these, and each once.
     *
     * @throws SocketFault EINVAL naming the parameter
     */
    public static void require(HttpServletRequest request, Map<String, Class<?>> types) {
        require(request, new Known(types, Set.of()));
    }

    private static void require(HttpServletRequest request, Known known) {
        for (String name : Collections.list(request.getParameterNames())) {
            // A handshake's credential, which the filter chain has taken.
            if (!name.equals("ticket")) {
                check(name, request.getParameterValues(name), known);
            }
        }
    }

    private static void check(String name, String[] values, Known known) {
        Map<String, Class<?>> types = known.types();
        Class<?> type = types.get(name);
        if (type == null && known.inBody().contains(name)) {
            throw SocketFault.invalid(name, name + " is no parameter here. Give it in the JSON body.");
        }
        if (type == null) {
            throw SocketFault.invalid(
                    name,
                    "Unknown parameter \"" + name + "\"."
                            + (types.isEmpty()
                                    ? " None is known here."
                                    : " Known are: " + String.join(", ", new TreeSet<>(types.keySet())) + "."));
        }
        if (values.length > 1) {
            throw SocketFault.invalid(name, name + " is given more than once. Give it once.");
        }
        // A name without "=" is the empty string to Tomcat; other containers may say null.
        String value = Objects.requireNonNullElse(values[0], "");
        if (value.length() > MAX_LENGTH) {
            throw SocketFault.invalid(name, name + " is longer than " + MAX_LENGTH + " characters.");
        }
        boolean number = Number.class.isAssignableFrom(ClassUtils.resolvePrimitiveIfNecessary(type));
        if (value.isBlank() && (number || type.isPrimitive())) {
            throw SocketFault.invalid(name, name + " is empty. Give a value, or leave it out.");
        }
        // Spring's own conversion takes blanks, #1f, and the digits of all scripts.
        if (number && !DECIMAL.matcher(value).matches()) {
            throw SocketFault.invalid(name, name + " must be an integer, not \"" + value + "\".");
        }
    }

    private static Map<String, Class<?>> types(HandlerMethod method) {
        Map<String, Class<?>> types = new HashMap<>();
        for (MethodParameter parameter : method.getMethodParameters()) {
            parameter.initParameterNameDiscovery(new DefaultParameterNameDiscoverer());
            if (parameter.hasParameterAnnotation(RequestParam.class)) {
                types.put(String.valueOf(parameter.getParameterName()), parameter.getParameterType());
            } else if (parameter.hasParameterAnnotation(ParameterObject.class)) {
                for (RecordComponent component : parameter.getParameterType().getRecordComponents()) {
                    types.put(component.getName(), component.getType());
                }
            }
        }
        return types;
    }
}
