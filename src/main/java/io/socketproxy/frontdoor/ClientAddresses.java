package io.socketproxy.frontdoor;

import io.socketproxy.libc.SockAddr;
import io.socketproxy.policy.Cidr;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Whose connections count together: those from one address.
 *
 * @param trusted proxies, which many clients come from
 */
record ClientAddresses(List<Cidr> trusted) {
    /** The same for connections that count together. */
    static Object key(@Nullable SocketAddress remote) {
        InetAddress address = address(remote);
        if (address == null) {
            return "";
        }
        // Whoever has one address of IPv6 has all of its /64.
        return address instanceof Inet6Address
                ? (Object) ByteBuffer.wrap(address.getAddress()).getLong()
                : address;
    }

    /** Whether an address may have as many connections as it likes: a trusted proxy's, or this machine's own. */
    boolean isExempt(@Nullable SocketAddress remote) {
        InetAddress address = address(remote);
        if (address == null || address.isLoopbackAddress()) {
            return true;
        }
        byte[] bytes = address.getAddress();
        SockAddr from = bytes.length == 4 ? SockAddr.Inet4.of(bytes, 0) : SockAddr.Inet6.of(bytes, 0, 0, 0);
        return trusted.stream().anyMatch(block -> block.contains(from));
    }

    private static @Nullable InetAddress address(@Nullable SocketAddress remote) {
        return remote instanceof InetSocketAddress inet ? inet.getAddress() : null;
    }
}
