package io.socketproxy.security;

import jakarta.servlet.http.HttpServletRequest;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.springframework.boot.test.context.TestConfiguration;
import org.springframework.context.annotation.Import;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.socket.config.annotation.EnableWebSocket;
import org.springframework.web.socket.config.annotation.WebSocketConfigurer;
import org.springframework.web.socket.config.annotation.WebSocketHandlerRegistry;
import org.springframework.web.socket.handler.AbstractWebSocketHandler;
import org.springframework.web.socket.server.support.DefaultHandshakeHandler;

/** What is behind the filter chain: says who it was called for and what it was offered. */
@TestConfiguration(proxyBeanMethods = false)
@EnableWebSocket
@Import(Probe.Controller.class)
class Probe implements WebSocketConfigurer {

    @Override
    public void registerWebSocketHandlers(WebSocketHandlerRegistry registry) {
        DefaultHandshakeHandler handshakes = new DefaultHandshakeHandler();
        handshakes.setSupportedProtocols("binary");
        registry.addHandler(new AbstractWebSocketHandler() {}, "/api/v1/probe/stream")
                .setHandshakeHandler(handshakes)
                .setAllowedOrigins("*");
    }

    @RestController
    @RequestMapping({"/api/v1/probe", "/console/probe"})
    static class Controller {

        @GetMapping
        Map<String, Object> get(
                Owner owner,
                @RequestParam(required = false) String x,
                @RequestParam(required = false) String y,
                HttpServletRequest request) {
            return Map.of(
                    "owner", owner.name(),
                    "user", request.getUserPrincipal().getName(),
                    "protocols", protocols(request));
        }

        @PostMapping
        String post(Owner owner) {
            return owner.name();
        }

        @DeleteMapping
        void fail(Owner owner) {
            throw new IllegalStateException("a secret of the server's");
        }

        private static List<String> protocols(HttpServletRequest request) {
            return Collections.list(request.getHeaders("Sec-WebSocket-Protocol"));
        }
    }
}
