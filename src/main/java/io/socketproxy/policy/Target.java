package io.socketproxy.policy;

import io.socketproxy.address.InetText;
import io.socketproxy.libc.SockAddr;
import org.jspecify.annotations.Nullable;

/**
 * What policy is asked about: one transport to or at one resolved address.
 *
 * @param host the name as the caller wrote it, for rules about names; null where there was none
 * @param address what the kernel will be given
 */
public record Target(Transport transport, @Nullable String host, SockAddr address) {
    /**
     * @throws IllegalArgumentException the transport is not one of the address's family
     */
    public Target {
        if (transport.isUnix() != (address instanceof SockAddr.Unix)) {
            throw new IllegalArgumentException(transport + " does not go with " + InetText.display(address));
        }
    }
}
