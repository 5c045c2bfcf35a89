package io.socketproxy.container;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.command.InspectContainerResponse;
import com.github.dockerjava.api.model.Capability;
import com.github.dockerjava.api.model.Ports;
import io.socketproxy.testing.Eventually;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.Network;
import org.testcontainers.containers.wait.strategy.Wait;

/** Containers of the image and of what it talks to, and what the Docker daemon knows of them. */
final class Containers {
    static final String TOKEN = "spx_token-of-the-container-tests";
    static final int LISTEN_PORT = 30000;

    private static final long MEBIBYTE = 1 << 20;

    static final DockerClient DOCKER = DockerClientFactory.instance().client();

    private Containers() {}

    static GenericContainer<?> target(Network network, String name, String command) {
        GenericContainer<?> target = new GenericContainer<>(Docker.DEMO)
                .withNetwork(network)
                .withNetworkAliases(name)
                .withCommand(command)
                .withCreateContainerCmdModifier(create -> create.getHostConfig().withInit(true));
        target.start();
        return target;
    }

    /** As docker-compose.yml runs it, with the cache in use or no start at all. */
    static GenericContainer<?> service(Network open) {
        return new GenericContainer<>(Docker.IMAGE)
                .withNetwork(open)
                .withExposedPorts(8080, LISTEN_PORT)
                .withEnv("SOCKET_PROXY_TOKEN", TOKEN)
                .withEnv("JAVA_TOOL_OPTIONS", "-XX:AOTMode=on")
                .withEnv("SOCKET_PROXY_POLICY_EGRESS_RULES_0_ACTION", "allow")
                .withEnv("SOCKET_PROXY_POLICY_EGRESS_RULES_0_CIDRS_0", subnet(open))
                .withEnv("SOCKET_PROXY_POLICY_LISTEN_ALLOW_0_ADDRESSES_0", "0.0.0.0")
                .withEnv("SOCKET_PROXY_POLICY_LISTEN_ALLOW_0_PORTS_0", Integer.toString(LISTEN_PORT))
                .withTmpFs(Map.of("/tmp", "rw,noexec,nosuid,nodev,size=64m"))
                .withCreateContainerCmdModifier(create -> create.getHostConfig()
                        .withReadonlyRootfs(true)
                        .withCapDrop(Capability.ALL)
                        .withSecurityOpts(List.of("no-new-privileges:true"))
                        .withMemory(512 * MEBIBYTE)
                        .withMemorySwap(512 * MEBIBYTE)
                        .withPidsLimit(512L))
                .waitingFor(Wait.forHealthcheck())
                .withStartupTimeout(Duration.ofMinutes(2));
    }

    static String subnet(Network network) {
        return DOCKER.inspectNetworkCmd()
                .withNetworkId(network.getId())
                .exec()
                .getIpam()
                .getConfig()
                .getFirst()
                .getSubnet();
    }

    /** Asked anew, since a restart may change it. */
    static int publishedPort(GenericContainer<?> container, int port) {
        return inspect(container).getNetworkSettings().getPorts().getBindings().entrySet().stream()
                .filter(entry -> entry.getKey().getPort() == port)
                .map(entry -> entry.getValue()[0])
                .map(Ports.Binding::getHostPortSpec)
                .mapToInt(Integer::parseInt)
                .findFirst()
                .orElseThrow();
    }

    static InspectContainerResponse inspect(GenericContainer<?> container) {
        return DOCKER.inspectContainerCmd(container.getContainerId()).exec();
    }

    static void awaitHealthy(GenericContainer<?> container) {
        Eventually.is("healthy", () -> {
            var health = inspect(container).getState().getHealth();
            return health != null && "healthy".equals(health.getStatus());
        });
    }
}
