package io.socketproxy.rest;

import java.util.List;
import java.util.regex.Pattern;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.jackson.autoconfigure.JsonMapperBuilderCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.format.FormatterRegistry;
import org.springframework.web.servlet.HandlerExceptionResolver;
import org.springframework.web.servlet.config.annotation.InterceptorRegistry;
import org.springframework.web.servlet.config.annotation.WebMvcConfigurer;
import org.springframework.web.servlet.mvc.method.annotation.ExceptionHandlerExceptionResolver;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.cfg.CoercionAction;
import tools.jackson.databind.cfg.CoercionInputShape;
import tools.jackson.databind.cfg.EnumFeature;
import tools.jackson.databind.module.SimpleModule;
import tools.jackson.databind.type.LogicalType;

/** Strictness: what a caller misspells is named, not passed over. */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties({WaitProperties.class, BodyProperties.class})
class RestConfiguration implements WebMvcConfigurer {
    private static final Pattern DECIMAL = Pattern.compile("-?[0-9]{1,19}");

    /** JSON as it is written: no unknown fields, none twice, no "1" for 1, no 1.5 for 1, nothing after the end. */
    @Bean
    JsonMapperBuilderCustomizer strictJson() {
        return json -> {
            json.enable(
                    DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES,
                    DeserializationFeature.FAIL_ON_TRAILING_TOKENS,
                    DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY);
            json.enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION);
            json.addModule(new SimpleModule().addDeserializer(String.class, new Text.Strict()));
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

    /** Numbers as they are written, too: Spring's own conversion takes blanks, {@code #1f} and the digits of all scripts. */
    @Override
    public void addFormatters(FormatterRegistry registry) {
        registry.addConverter(String.class, Integer.class, text -> Integer.valueOf(decimal(text)));
        registry.addConverter(String.class, Long.class, text -> Long.valueOf(decimal(text)));
    }

    private static String decimal(String text) {
        if (!DECIMAL.matcher(text).matches()) {
            throw new IllegalArgumentException("not a decimal number");
        }
        return text;
    }

    @Override
    public void addInterceptors(InterceptorRegistry registry) {
        registry.addInterceptor(new KnownParameters()).addPathPatterns("/api/v1/**");
    }

    /** The handlers of streams are no controllers, but what they throw becomes a problem as well. */
    @Override
    public void extendHandlerExceptionResolvers(List<HandlerExceptionResolver> resolvers) {
        for (HandlerExceptionResolver resolver : resolvers) {
            if (resolver instanceof ExceptionHandlerExceptionResolver problems) {
                problems.setMappedHandlerPredicate(handler -> true);
            }
        }
    }
}
