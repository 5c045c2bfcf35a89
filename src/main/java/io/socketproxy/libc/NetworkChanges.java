package io.socketproxy.libc;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Whether the host's addresses or routes have changed, as the kernel tells by rtnetlink(7)'s multicast groups. No call blocks. May be called
 * concurrently.
 */
public final class NetworkChanges {
    private static final int SOL_NETLINK = 270;
    private static final int NETLINK_ADD_MEMBERSHIP = 1;

    /** RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV6_ROUTE. */
    private static final int[] GROUPS = {5, 7, 9, 11};

    private static final int BYTES = 16_384;

    /** Where the kernel cannot be asked, something may have changed this often. */
    private static final long UNKNOWN_NANOS = 1_000_000_000L;

    private final int descriptor = subscribed();

    // Guarded by this.
    private final MemorySegment buffer = Arena.ofAuto().allocate(BYTES, 8);
    private long assumedAt = System.nanoTime();

    /** A socket of all groups; -1 where the process may have none. */
    private static int subscribed() {
        int descriptor;
        try {
            descriptor = RouteType.open();
        } catch (UnsupportedOperationException e) {
            return -1;
        }
        for (int group : GROUPS) {
            if (Libc.setsockopt(descriptor, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group) < 0) {
                Libc.close(descriptor);
                return -1;
            }
        }
        return descriptor;
    }

    /** Whether there were changes since the last time. */
    public synchronized boolean any() {
        if (descriptor < 0) {
            long now = System.nanoTime();
            boolean assumed = now - assumedAt >= UNKNOWN_NANOS;
            assumedAt = assumed ? now : assumedAt;
            return assumed;
        }
        boolean any = false;
        long received;
        do {
            received = Libc.recv(descriptor, buffer.address(), BYTES);
            // That there were more than the kernel could keep, ENOBUFS, says that there were some.
            any |= received >= 0 || received == -Errno.ENOBUFS.number();
        } while (received >= 0);
        return any;
    }
}
