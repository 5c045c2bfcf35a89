package io.socketproxy.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** What the kernel has of connections' bytes; proc_net_tcp(5). */
public final class KernelQueues {
    private KernelQueues() {}

    /** Bytes of the connections from and to these ports that were sent and not acknowledged, or received and given to nobody. */
    public static long bytes(int... ports) throws IOException {
        long bytes = 0;
        for (String table : List.of("/proc/self/net/tcp", "/proc/self/net/tcp6")) {
            if (Files.exists(Path.of(table))) {
                bytes += Files.readAllLines(Path.of(table)).stream()
                        .skip(1)
                        .map(line -> line.strip().split("\\s+"))
                        .filter(fields -> Arrays.stream(ports)
                                .anyMatch(port -> port == port(fields[1]) || port == port(fields[2])))
                        .mapToLong(KernelQueues::queued)
                        .sum();
            }
        }
        return bytes;
    }

    private static int port(String address) {
        return Integer.parseInt(address.substring(address.indexOf(':') + 1), 16);
    }

    private static long queued(String[] fields) {
        String[] queues = fields[4].split(":");
        return Long.parseLong(queues[0], 16) + Long.parseLong(queues[1], 16);
    }
}
