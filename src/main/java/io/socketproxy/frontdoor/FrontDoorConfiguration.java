package io.socketproxy.frontdoor;

import io.socketproxy.overload.Overload;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.tomcat.servlet.TomcatServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Puts the front door into Tomcat. */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties(ConnectionProperties.class)
class FrontDoorConfiguration {
    @Bean
    Connections connections(ConnectionProperties properties, Overload overload) {
        return Connections.of(properties, overload);
    }

    @Bean
    BodyTimeout bodyTimeout(ConnectionProperties properties) {
        return new BodyTimeout(properties.bodyTimeout());
    }

    @Bean
    WebServerFactoryCustomizer<TomcatServletWebServerFactory> frontDoor(Connections connections) {
        return factory -> {
            factory.setProtocol(FrontDoor.class.getName());
            factory.addConnectorCustomizers(connector -> {
                // Bodies are JSON or bytes, never forms, which Tomcat would read into memory of its own.
                connector.setParseBodyMethods("");
                if (connector.getProtocolHandler() instanceof FrontDoor door) {
                    door.limit(connections);
                }
            });
        };
    }
}
