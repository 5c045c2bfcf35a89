import java.util.Map;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** The yardstick for REST calls: the same Spring MVC on the same Tomcat, with one endpoint that does nothing, and no security. */
@Configuration(proxyBeanMethods = false)
@EnableAutoConfiguration
@Import(BareEndpoint.Endpoint.class)
public class BareEndpoint {
    public static void main(String[] args) {
        SpringApplication.run(BareEndpoint.class, args);
    }

    @RestController
    static class Endpoint {
        @GetMapping("/bare")
        Map<String, Object> bare() {
            return Map.of("sent", 64);
        }
    }
}
