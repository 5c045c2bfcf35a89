package io.socketproxy.rest;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.rest.Api.Answer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** A host without IPv6 and without a services database, as Docker's containers are. In a network namespace. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BareHostIT {
    private static final Path LOG = Path.of("target/bare-host/service.log");

    private NetworkNamespace namespace;
    private ServiceInNamespace service;

    @BeforeAll
    void start() {
        NetworkNamespace.assumeAvailable();
        namespace = NetworkNamespace.create();
        namespace.inside(() -> Files.writeString(Path.of("/proc/sys/net/ipv6/conf/all/disable_ipv6"), "1"));
        namespace.etc("services", "");
        service = ServiceInNamespace.start(namespace, LOG, "spring.profiles.active=local");
    }

    @AfterAll
    void stop() {
        if (service != null) {
            service.close();
        }
        if (namespace != null) {
            namespace.close();
        }
    }

    @Test
    void itSaysSoOnce() {
        assertThat(service.log())
                .filteredOn(line -> line.contains("no services database"))
                .hasSize(1);
        assertThat(service.log())
                .filteredOn(line -> line.contains("No interface has an IPv6 address"))
                .hasSize(1);
    }

    @Test
    void theRestWorks() {
        namespace.inside(() -> {
            Api api = service.api();
            Answer listener = api.post("/api/v1/listeners", "{}").expect(201);
            int port = listener.json().at("/localAddress/port").asInt();
            api.post("/api/v1/connections", "{'host': 'localhost', 'port': " + port + "}")
                    .expect(201);
            api.post("/api/v1/sockets/" + listener.string("id") + "/accept").expect(201);

            String inet6 = api.post("/api/v1/sockets", "{'family': 'AF_INET6'}")
                    .expect(201)
                    .string("id");
            api.post("/api/v1/sockets/" + inet6 + "/bind", "{'host': '::1', 'port': 0}")
                    .problem(409, "EADDRNOTAVAIL");
            api.get("/api/v1/getservbyname?name=https").problem(400, "EINVAL", "name");
            assertThat(api.get("/api/v1/getaddrinfo?host=127.0.0.1&port=https")
                            .expect(400)
                            .string("gaiName"))
                    .isEqualTo("EAI_SERVICE");
            return null;
        });
    }
}
