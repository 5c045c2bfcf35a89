package io.socketproxy.policy;

import java.io.IOException;

/** The ports out of which the kernel picks one for port 0: {@code ip_local_port_range} of ip(7). */
interface EphemeralPorts {
    PortRange range();

    /** The kernel's setting at the moment of asking, or Linux's default where it cannot be read. */
    static EphemeralPorts ofKernel() {
        return () -> {
            try {
                String[] bounds =
                        KernelSetting.read("net/ipv4/ip_local_port_range").split("\\s+", -1);
                return new PortRange(Integer.parseInt(bounds[0]), Integer.parseInt(bounds[1]));
            } catch (IOException | IllegalArgumentException | ArrayIndexOutOfBoundsException e) {
                return new PortRange(32_768, 60_999);
            }
        };
    }
}
