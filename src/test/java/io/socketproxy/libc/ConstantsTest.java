package io.socketproxy.libc;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** The tables against this machine's headers, as its Python was built with them. */
class ConstantsTest {
    /** Python's own numbers, which are none of the C library's. */
    private static final List<String> PYTHONS_OWN = List.of("SOMAXCONN");

    @Test
    void constantsAreThoseOfThisMachinesHeaders() throws Exception {
        JsonNode python = Python.run("""
                import json, select, socket, sys
                names = json.load(sys.stdin)
                print(json.dumps({n: int(getattr(m, n)) for n in names for m in (select, socket) if hasattr(m, n)}))
                """, Constants.all().keySet());

        Map<String, Long> expected = new LinkedHashMap<>();
        python.properties().forEach(e -> expected.put(e.getKey(), e.getValue().asLong()));
        PYTHONS_OWN.forEach(expected::remove);
        assertThat(expected).hasSizeGreaterThan(150);
        assertThat(Constants.all()).containsAllEntriesOf(expected);
    }

    @Test
    void everyConstantOfPythonsThatThisInterfaceIsAboutIsHere() throws Exception {
        JsonNode python = Python.run("""
                import json, socket
                families = ("AF_", "AI_", "EAI_", "NI_", "SHUT_", "MSG_", "SO_", "TCP_", "IP_", "IPV6_", "INADDR_")
                print(json.dumps({n: int(getattr(socket, n)) for n in dir(socket) if n.startswith(families)}))
                """, List.of());

        List<String> missing = new ArrayList<>();
        python.properties().forEach(e -> {
            if (!Constants.all().containsKey(e.getKey())) {
                missing.add(e.getKey());
            }
        });
        // What a newer Python adds need not be known at once; what the interface began with must be.
        assertThat(missing).hasSizeLessThan(20);
    }

    @Test
    void errorNumbersAndTheirMessagesAreThoseOfThisMachine() throws Exception {
        JsonNode python = Python.run("""
                import errno, json, os
                print(json.dumps({name: [number, os.strerror(number)] for number, name in errno.errorcode.items()}))
                """, List.of());

        Map<String, String> aliases = Map.of("EWOULDBLOCK", "EAGAIN", "ENOTSUP", "EOPNOTSUPP", "EDEADLOCK", "EDEADLK");
        assertThat(python.size()).isGreaterThan(120);
        python.properties().forEach(e -> {
            Errno errno = Errno.valueOf(aliases.getOrDefault(e.getKey(), e.getKey()));
            assertThat(errno.number())
                    .as(e.getKey())
                    .isEqualTo(e.getValue().get(0).asInt());
            assertThat(errno.strerror())
                    .as(e.getKey())
                    .isEqualTo(e.getValue().get(1).asString());
            assertThat(Errno.of(errno.number())).isSameAs(errno);
            assertThat(Errno.of(-errno.number())).isSameAs(errno);
        });
    }

    @Test
    void gaiMessagesAreTheCLocales() {
        assertThat(Messages.gaiStrerror(Constants.require("EAI_NONAME"))).isEqualTo("Name or service not known");
        assertThat(Messages.gaiStrerror(Constants.require("EAI_AGAIN")))
                .isEqualTo("Temporary failure in name resolution");
        assertThat(Messages.gaiStrerror(-12345)).isEqualTo("Unknown error");
    }

    @Test
    void numbersOutsideTheTableDoNoHarm() {
        assertThat(Errno.of(524)).isEqualTo(Errno.EOPNOTSUPP);
        assertThat(Errno.of(-512)).isEqualTo(Errno.EIO);
        assertThat(Constants.find("AF_NONE_SUCH")).isEmpty();
        assertThat(Constants.nameOf("AF_", 16)).hasValue("AF_NETLINK");
        assertThat(Constants.nameOf("AF_", 12345)).isEmpty();
    }
}
