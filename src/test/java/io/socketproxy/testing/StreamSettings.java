package io.socketproxy.testing;

import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;

/** What a server is like that streams are tried on: two owners, targets and listeners on loopback, quotas that no test meets by chance. */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Inherited
@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        properties = {
            "server.address=127.0.0.1",
            "socket-proxy.security.token=" + StreamServer.TOKEN,
            "socket-proxy.security.tokens[0].owner=mallory",
            // Of the token "token-of-mallory".
            "socket-proxy.security.tokens[0].sha256=29525959bfad715e44c17c9d0897d466e8200748aeae1ca148546ce044cf2743",
            "socket-proxy.security.allowed-origins=https://pages.example",
            "socket-proxy.policy.egress.rules[0].action=deny",
            "socket-proxy.policy.egress.rules[0].cidrs=127.9.9.9/32",
            "socket-proxy.policy.egress.rules[1].action=allow",
            "socket-proxy.policy.egress.rules[1].classes=loopback",
            "socket-proxy.policy.egress.rules[2].action=allow",
            "socket-proxy.policy.egress.rules[2].paths=/tmp/**",
            "socket-proxy.policy.listen.allow[0].addresses=127.0.0.0/8,::1",
            "socket-proxy.policy.listen.allow[0].ports=ephemeral",
            "socket-proxy.limits.handles-per-owner=4096",
            "socket-proxy.limits.streams-per-owner=4096",
            "socket-proxy.limits.connects-per-second=0",
        })
public @interface StreamSettings {}
