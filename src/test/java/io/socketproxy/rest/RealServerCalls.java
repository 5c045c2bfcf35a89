package io.socketproxy.rest;

import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.springframework.boot.test.web.server.LocalServerPort;

/** Calls of the owner "default" to the service that {@link RealServer} boots. */
@RealServer
abstract class RealServerCalls {
    /** A handle's, without a prefix. */
    static final Pattern PATH = Pattern.compile("/api/v1/sockets/[A-Za-z0-9_-]{22,}");

    @LocalServerPort
    int port;

    Api api;

    @BeforeEach
    void connect() {
        api = new Api(port, RealServer.TOKEN);
    }

    static String id(String path) {
        return path.substring(path.lastIndexOf('/') + 1);
    }
}
