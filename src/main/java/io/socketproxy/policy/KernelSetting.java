package io.socketproxy.policy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Settings under {@code /proc/sys}. */
final class KernelSetting {
    private static final int ENOUGH_BYTES = 256;

    private KernelSetting() {}

    /**
     * The setting's text without the newline.
     *
     * @param name as below {@code /proc/sys}, {@code net/ipv4/ip_local_port_range}
     */
    static String read(String name) throws IOException {
        // One read(2): the kernel answers a second one with end of file, and Files.readString begins with a read of one
        // byte.
        byte[] buffer = new byte[ENOUGH_BYTES];
        try (InputStream in = Files.newInputStream(Path.of("/proc/sys", name))) {
            int length = in.read(buffer);
            return new String(buffer, 0, Math.max(length, 0), StandardCharsets.US_ASCII).strip();
        }
    }
}
