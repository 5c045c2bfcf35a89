package io.socketproxy.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** How many sockets and threads this process has, test and server together. */
public record Census(long sockets, int threads) {

    public static Census now() throws IOException {
        return new Census(openSockets(), Thread.getAllStackTraces().size());
    }

    private static long openSockets() throws IOException {
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
            return descriptors.filter(Census::isSocket).count();
        }
    }

    private static boolean isSocket(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString().startsWith("socket:");
        } catch (IOException e) {
            return false;
        }
    }

    /** Waits until there are no more than there were. A few more threads are granted, which pools keep for a while. */
    public void awaitReturn(int moreSockets) throws Exception {
        Eventually.holds(() -> {
            Census now = now();
            assertThat(now.sockets()).as("sockets, before: " + this).isLessThanOrEqualTo(sockets + moreSockets);
            assertThat(now.threads()).as("threads, before: " + this).isLessThanOrEqualTo(threads + 16);
        });
    }
}
