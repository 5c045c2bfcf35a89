package io.socketproxy.rest;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.test.context.ActiveProfiles;

/**
 * Boots the service as the quick start does, on a free port, with two owners, waits of a second and bodies of a mebibyte; once for
 * all classes that have this.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        properties = {
            "socket-proxy.security.token=" + RealServer.TOKEN,
            "socket-proxy.security.tokens[0].owner=other",
            "socket-proxy.security.tokens[0].sha256=" + RealServer.OTHER_SHA256,
            "socket-proxy.wait.duration=1s",
            "socket-proxy.wait.maximum=5s",
            "socket-proxy.http.max-body=1MB",
            "socket-proxy.lease.maximum=1h",
        })
@ActiveProfiles("local")
@interface RealServer {
    /** Of the owner "default". */
    String TOKEN = "spx_token-of-the-rest-tests";

    /** Of the owner "other". */
    String OTHER = "spx_token-of-the-other-owner";

    String OTHER_SHA256 = "ba746cf5ad63c99ba083cc415f9e9a196d1349c60d564e60806264cedb476fd8";
}
