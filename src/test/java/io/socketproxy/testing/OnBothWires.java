package io.socketproxy.testing;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.test.context.TestPropertySource;

/**
 * Runs the tests of a class on a server that hands connections to the event loop, [1] in reports, and on one that leaves them to the
 * container, [2].
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ParameterizedClass
@ValueSource(classes = {OnBothWires.HandedOff.class, OnBothWires.Container.class})
public @interface OnBothWires {

    @StreamSettings
    @TestPropertySource(properties = "socket-proxy.stream.handoff=true")
    class HandedOff {}

    @StreamSettings
    @TestPropertySource(properties = "socket-proxy.stream.handoff=false")
    class Container {}
}
