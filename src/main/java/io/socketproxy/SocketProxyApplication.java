package io.socketproxy;

import java.util.Optional;
import java.util.Set;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.properties.ConfigurationPropertiesScan;

/** The service: BSD sockets by handle, over HTTP and WebSocket. */
@SpringBootApplication
@ConfigurationPropertiesScan
public class SocketProxyApplication {

    /** The values of {@code os.arch} whose system call structures the {@code libc} package knows. */
    private static final Set<String> ARCHITECTURES = Set.of("amd64", "aarch64");

    /**
     * Runs the service until it is told to stop.
     *
     * <p>Exits with status 1 and says what to do instead where the sockets of this kernel are not what the service
     * knows how to call, which is everywhere but on Linux.
     */
    public static void main(String[] args) {
        Optional<String> refusal = refusal(System.getProperty("os.name"), System.getProperty("os.arch"));
        if (refusal.isPresent()) {
            System.err.println(refusal.get());
            System.exit(1);
        }
        SpringApplication.run(SocketProxyApplication.class, args);
    }

    /** What to tell the user of a platform on which the service cannot run; empty where it can. */
    static Optional<String> refusal(String osName, String osArch) {
        if (osName.equals("Linux") && ARCHITECTURES.contains(osArch)) {
            return Optional.empty();
        }
        return Optional.of("""
                socket-proxy calls the Linux kernel's socket interface directly and runs on Linux, x86_64 or aarch64, only.
                This is %s on %s. Run the container instead, which works wherever Docker does:

                    docker compose up
                """.formatted(osName, osArch));
    }
}
