package io.socketproxy.registry;

import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Errno;
import io.socketproxy.policy.Cleared;
import io.socketproxy.policy.Transport;
import io.socketproxy.socket.BsdSocket;
import io.socketproxy.socket.Deadline;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Sends that may give a UDP socket its port: the kernel binds an unbound one before it looks at anything else, even at whether there is a
 * destination. All methods may be called concurrently.
 */
final class Sender {
    private final Binder binder;

    Sender(Binder binder) {
        this.binder = binder;
    }

    /** As {@link BsdSocket#send}. */
    int send(Handle handle, byte[] data, int flags, Cleared.@Nullable Remote destination, Deadline deadline) {
        BsdSocket socket = handle.socket();
        if (bindsNothing(handle)) {
            return socket.send(data, flags, destination, deadline);
        }
        int[] sent = {-1};
        binder.implicitly(handle, () -> {
            try {
                sent[0] = socket.send(data, flags, destination, Deadline.immediate());
            } catch (SocketFault fault) {
                if (fault.errno() != Errno.EAGAIN) {
                    throw fault;
                }
            }
        });
        return sent[0] >= 0 ? sent[0] : socket.send(data, flags, destination, deadline);
    }

    /** As {@link BsdSocket#sendNow}. */
    boolean sendNow(Handle handle, MemorySegment data, Cleared.@Nullable Remote destination) {
        BsdSocket socket = handle.socket();
        // Connected where it has no destination.
        if (destination == null || bindsNothing(handle)) {
            return socket.sendNow(data, destination);
        }
        boolean[] sent = new boolean[1];
        binder.implicitly(handle, () -> sent[0] = socket.sendNow(data, destination));
        return sent[0];
    }

    private static boolean bindsNothing(Handle handle) {
        return handle.hasPort() || handle.socket().transport() != Transport.UDP;
    }
}
