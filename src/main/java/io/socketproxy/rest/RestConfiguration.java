package io.socketproxy.rest;

import io.socketproxy.socket.SocketFault;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.lang.reflect.RecordComponent;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.jackson.autoconfigure.JsonMapperBuilderCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.DefaultParameterNameDiscoverer;
import org.springframework.core.MethodParameter;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.method.HandlerMethod;
import org.springframework.web.servlet.HandlerInterceptor;
import org.springframework.web.servlet.config.annotation.InterceptorRegistry;
import org.springframework.web.servlet.config.annotation.WebMvcConfigurer;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.cfg.CoercionAction;
import tools.jackson.databind.cfg.CoercionInputShape;
import tools.jackson.databind.cfg.EnumFeature;
import tools.jackson.databind.type.LogicalType;

/** Strictness: what a caller misspells is named, not passed over. */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties({WaitProperties.class, BodyProperties.class})
class RestConfiguration implements WebMvcConfigurer {
    /** JSON as it is written: no unknown fields, no "1" for 1, no 1.5 for 1, nothing after the end. */
    @Bean
    JsonMapperBuilderCustomizer strictJson() {
        return json -> {
            json.enable(
                    DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES,
                    DeserializationFeature.FAIL_ON_TRAILING_TOKENS,
                    DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY);
            json.disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT);
            json.disable(MapperFeature.ALLOW_COERCION_OF_SCALARS);
            json.enable(EnumFeature.FAIL_ON_NUMBERS_FOR_ENUMS);
            json.withCoercionConfig(
                    LogicalType.Textual,
                    config -> config.setCoercion(CoercionInputShape.Integer, CoercionAction.Fail)
                            .setCoercion(CoercionInputShape.Float, CoercionAction.Fail)
                            .setCoercion(CoercionInputShape.Boolean, CoercionAction.Fail));
        };
    }

    @Override
    public void addInterceptors(InterceptorRegistry registry) {
        registry.addInterceptor(new KnownParameters()).addPathPatterns("/api/v1/**");
    }

    /**
     * Refuses query parameters that an endpoint does not have, or that say nothing or two things: with a misspelt timeoutMs, or none
     * behind the equals sign, a call would wait for a minute.
     */
    private static final class KnownParameters implements HandlerInterceptor {
        private final Map<HandlerMethod, Map<String, Class<?>>> known = new ConcurrentHashMap<>();

        @Override
        public boolean preHandle(HttpServletRequest request, HttpServletResponse response, Object handler) {
            if (request.getQueryString() != null && handler instanceof HandlerMethod method) {
                Map<String, Class<?>> types = known.computeIfAbsent(method, KnownParameters::types);
                for (String name : Collections.list(request.getParameterNames())) {
                    // A handshake's credential, which the filter chain has taken.
                    if (!name.equals("ticket")) {
                        check(name, request.getParameterValues(name), types);
                    }
                }
            }
            return true;
        }

        private static void check(String name, String[] values, Map<String, Class<?>> types) {
            Class<?> type = types.get(name);
            if (type == null) {
                throw SocketFault.invalid(
                        name,
                        "there is no parameter " + name + " here"
                                + (types.isEmpty() ? "" : "; known are " + String.join(", ", types.keySet())));
            }
            if (values.length > 1) {
                throw SocketFault.invalid(name, name + " is given more than once");
            }
            if (values[0].isBlank() && (type.isPrimitive() || Number.class.isAssignableFrom(type))) {
                throw SocketFault.invalid(name, name + " is empty; give a number, or leave it out");
            }
        }

        private static Map<String, Class<?>> types(HandlerMethod method) {
            Map<String, Class<?>> types = new TreeMap<>();
            for (MethodParameter parameter : method.getMethodParameters()) {
                parameter.initParameterNameDiscovery(new DefaultParameterNameDiscoverer());
                if (parameter.hasParameterAnnotation(RequestParam.class)) {
                    types.put(String.valueOf(parameter.getParameterName()), parameter.getParameterType());
                } else if (parameter.getParameterType() == DataController.Destination.class) {
                    for (RecordComponent component : DataController.Destination.class.getRecordComponents()) {
                        types.put(component.getName(), component.getType());
                    }
                }
            }
            return types;
        }
    }
}
