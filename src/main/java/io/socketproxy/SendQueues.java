package io.socketproxy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Component;

/**
 * Lets the kernel deliver what it has taken to send before the process exits.
 *
 * <p>The kernel does that for a closed socket anyway, but a container's network ends with its first process, and the queues with it.
 * The last of all that stops, so that answers and close frames count too; it waits no longer than {@link Drain} may.
 */
@Component
class SendQueues implements SmartLifecycle {
    private static final Logger LOG = LoggerFactory.getLogger(SendQueues.class);

    /** Even where all the time was used up: the last frames were sent a moment ago. */
    private static final Duration LEAST = Duration.ofSeconds(1);

    private static final Duration LOOK = Duration.ofMillis(50);

    /** Not injected as it is: what depends on a bean is stopped before that, whatever the phases say. */
    private final ObjectProvider<Drain> drain;

    private volatile boolean running;

    /** Of another process in this network namespace, since they are older than this one. */
    private volatile Set<String> others = Set.of();

    SendQueues(ObjectProvider<Drain> drain) {
        this.drain = drain;
    }

    @Override
    public void start() {
        running = true;
        try {
            others = undelivered();
        } catch (IOException e) {
            LOG.warn("Cannot tell what the kernel has yet to send: {}", e.toString());
        }
    }

    @Override
    public void stop() {
        running = false;
        long end = System.nanoTime()
                + Math.max(LEAST.toNanos(), drain.getObject().remaining().toNanos());
        try {
            while (!others.containsAll(undelivered()) && System.nanoTime() - end < 0) {
                Thread.sleep(LOOK);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            LOG.warn("Cannot tell whether the kernel has sent everything: {}", e.toString());
        }
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    @Override
    public int getPhase() {
        return Integer.MIN_VALUE;
    }

    /** Closed connections of this network namespace whose peers have yet to acknowledge something. */
    private static Set<String> undelivered() throws IOException {
        Set<String> connections = new HashSet<>();
        for (String table : List.of("/proc/self/net/tcp", "/proc/self/net/tcp6")) {
            if (Files.exists(Path.of(table))) {
                try (Stream<String> lines = Files.lines(Path.of(table))) {
                    lines.filter(SendQueues::isUndelivered)
                            .map(SendQueues::addresses)
                            .forEach(connections::add);
                }
            }
        }
        return connections;
    }

    /** The local and the remote address of a line. */
    static String addresses(String line) {
        String[] fields = line.strip().split("\\s+");
        return fields[1] + " " + fields[2];
    }

    /** By a line of proc_net_tcp(5): a connection that belongs to no descriptor (inode 0) any more, with a send queue. */
    static boolean isUndelivered(String line) {
        String[] fields = line.strip().split("\\s+");
        return fields.length > 9
                && fields[9].equals("0")
                // linux/net/tcp_states.h: FIN_WAIT1, LAST_ACK, CLOSING
                && List.of("04", "09", "0B").contains(fields[3])
                && !fields[4].startsWith("00000000:");
    }
}
