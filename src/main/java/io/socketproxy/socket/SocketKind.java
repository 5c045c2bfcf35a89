package io.socketproxy.socket;

import static io.socketproxy.libc.Constants.SOCK_STREAM;
import static io.socketproxy.libc.Constants.SOL_SOCKET;
import static io.socketproxy.libc.Constants.SO_PROTOCOL;

import io.socketproxy.libc.ErrnoException;
import io.socketproxy.libc.Libc;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.policy.Cleared;
import io.socketproxy.policy.Transport;
import org.jspecify.annotations.Nullable;

/**
 * What a socket is from the start to the end.
 *
 * @param family AF_INET, AF_INET6 or AF_UNIX
 * @param type SOCK_STREAM or SOCK_DGRAM
 * @param proto as SO_PROTOCOL has it: IPPROTO_TCP, IPPROTO_UDP, or 0 for AF_UNIX
 */
record SocketKind(int family, int type, int proto) {
    /** As the kernel has made the socket with this descriptor. */
    static SocketKind of(int number, int family, int type) {
        int proto = 0;
        try {
            proto = Libc.getsockoptInt(number, SOL_SOCKET, SO_PROTOCOL);
        } catch (ErrnoException e) {
            // Every socket of these families has SO_PROTOCOL; 0 stands for the family's own choice anyway.
        }
        return new SocketKind(family, type, proto);
    }

    /** Whether it is a byte stream, which has an end of file, and not datagrams. */
    boolean isStream() {
        return type == SOCK_STREAM;
    }

    /** What policy calls its transport. */
    Transport transport() {
        return Transport.of(family, type);
    }

    /** The address of leave for a socket of this transport. */
    SockAddr address(Cleared cleared) {
        if (cleared.transport() != transport()) {
            throw new IllegalArgumentException("cleared for " + cleared.transport() + ", not for " + transport());
        }
        return cleared.address();
    }

    /** As {@link #address}; null for no leave. */
    @Nullable
    SockAddr addressOrNull(@Nullable Cleared cleared) {
        return cleared == null ? null : address(cleared);
    }
}
