package io.socketproxy.container;

import io.socketproxy.testing.Target;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.LongStream;

/** docker-compose.yml as a user starts it, as a project of its own, with the images that were built for the tests. */
final class Compose {
    private final List<String> program;
    private final Map<String, String> environment;

    private Compose(List<String> program, Map<String, String> environment) {
        this.program = program;
        this.environment = environment;
    }

    /**
     * Starts what these profiles have. The test is skipped where there is no Docker.
     *
     * @param variables beside the project's name, the subnet of the demo and the service's port, which are free ones
     */
    static Compose up(String profiles, Map<String, String> variables) throws IOException, InterruptedException {
        Docker.require();
        Map<String, String> environment = new HashMap<>(variables);
        environment.put("COMPOSE_PROFILES", profiles);
        environment.put(
                "COMPOSE_PROJECT_NAME",
                "socket-proxy-test-" + profiles.replace(',', '-')
                        + ProcessHandle.current().pid());
        environment.put("SOCKET_PROXY_PORT", Integer.toString(Target.closedPort()));
        environment.put("SOCKET_PROXY_DEMO_SUBNET", freeSubnet());
        // The images' names in the file, of what has been built already.
        Docker.run(Map.of(), "docker", "tag", Docker.IMAGE, "socket-proxy");
        Docker.run(Map.of(), "docker", "tag", Docker.DEMO, "socket-proxy-demo");
        Compose compose = new Compose(program(), environment);
        try {
            compose.run("up", "-d", "--no-build");
            return compose;
        } catch (IOException | InterruptedException | RuntimeException | Error e) {
            compose.down();
            throw e;
        }
    }

    /** Ends all of it and deletes its volumes. */
    void down() throws IOException, InterruptedException {
        run("down", "-v", "-t", "60");
    }

    /** The value of a variable that it was started with. */
    String variable(String name) {
        return Objects.requireNonNull(environment.get(name), name);
    }

    /** Runs a command of compose's, which has to succeed; what it printed. */
    String run(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(program);
        command.addAll(Arrays.asList(arguments));
        return Docker.run(environment, command.toArray(String[]::new));
    }

    /** How the container of a service is hardened: read-only, capabilities, privileges, memory, processes, user. */
    String hardening(String service) throws IOException, InterruptedException {
        String id = run("ps", "-q", service).strip();
        return Docker.run(
                        Map.of(),
                        "docker",
                        "inspect",
                        "-f",
                        "{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}}"
                                + " {{.HostConfig.Memory}} {{.HostConfig.PidsLimit}} {{.Config.User}} {{.HostConfig.Privileged}}",
                        id)
                .strip();
    }

    /** The plugin, or the program of old. */
    private static List<String> program() throws InterruptedException {
        for (List<String> command : List.of(List.of("docker", "compose"), List.of("docker-compose"))) {
            try {
                List<String> version = new ArrayList<>(command);
                version.add("version");
                Docker.run(Map.of(), version.toArray(String[]::new));
                return command;
            } catch (IOException | AssertionError absent) {
                // The next one, then.
            }
        }
        throw new AssertionError("neither docker compose nor docker-compose is installed");
    }

    /** A subnet that no network of the engine has, one that an earlier run had to leave behind included. */
    private static String freeSubnet() throws IOException, InterruptedException {
        List<String> inspect = new ArrayList<>(List.of("docker", "network", "inspect"));
        inspect.addAll(
                Docker.run(Map.of(), "docker", "network", "ls", "-q").lines().toList());
        String taken = Docker.run(Map.of(), inspect.toArray(String[]::new));
        long first = ProcessHandle.current().pid();
        return LongStream.range(first, first + 256)
                .mapToObj(number -> "10.213." + number % 256 + ".0/24")
                .filter(subnet -> !taken.contains('"' + subnet + '"'))
                .findFirst()
                .orElseThrow();
    }
}
