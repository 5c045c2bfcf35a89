package io.socketproxy.testing;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;

/** Runs the tests of a class on a server of plain HTTP, [1] in reports, and on one that ends TLS itself, [2]. */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ParameterizedClass
@ValueSource(classes = {OnBothWires.Plain.class, OnBothWires.Secured.class})
public @interface OnBothWires {

    @StreamSettings
    class Plain {}

    @StreamSettings
    class Secured {
        @DynamicPropertySource
        static void key(DynamicPropertyRegistry registry) {
            ServerTls.properties().forEach((name, value) -> registry.add(name, () -> value));
        }
    }
}
