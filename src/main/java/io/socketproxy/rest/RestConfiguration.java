package io.socketproxy.rest;

import io.socketproxy.socket.SocketFault;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.jackson.autoconfigure.JsonMapperBuilderCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
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

    /** Refuses query parameters that an endpoint does not have: a misspelt timeoutMs would wait for a minute. */
    private static final class KnownParameters implements HandlerInterceptor {
        private final Map<HandlerMethod, Set<String>> known = new ConcurrentHashMap<>();

        @Override
        public boolean preHandle(HttpServletRequest request, HttpServletResponse response, Object handler) {
            if (request.getQueryString() != null && handler instanceof HandlerMethod method) {
                Set<String> names = known.computeIfAbsent(method, KnownParameters::names);
                for (String name : Collections.list(request.getParameterNames())) {
                    // A handshake's credential, which the filter chain has taken.
                    if (!names.contains(name) && !name.equals("ticket")) {
                        throw SocketFault.invalid(
                                name,
                                "there is no parameter " + name + " here"
                                        + (names.isEmpty() ? "" : "; known are " + String.join(", ", names)));
                    }
                }
            }
            return true;
        }

        private static Set<String> names(HandlerMethod method) {
            Set<String> names = new TreeSet<>();
            for (MethodParameter parameter : method.getMethodParameters()) {
                parameter.initParameterNameDiscovery(new org.springframework.core.DefaultParameterNameDiscoverer());
                if (parameter.hasParameterAnnotation(RequestParam.class)) {
                    names.add(String.valueOf(parameter.getParameterName()));
                } else if (parameter.getParameterType() == DataController.Destination.class) {
                    names.addAll(Set.of("host", "port", "flowinfo", "scopeId", "path"));
                }
            }
            return names;
        }
    }
}
