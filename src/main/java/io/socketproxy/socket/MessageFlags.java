package io.socketproxy.socket;

import static io.socketproxy.libc.Constants.MSG_CMSG_CLOEXEC;
import static io.socketproxy.libc.Constants.MSG_CONFIRM;
import static io.socketproxy.libc.Constants.MSG_DONTROUTE;
import static io.socketproxy.libc.Constants.MSG_DONTWAIT;
import static io.socketproxy.libc.Constants.MSG_EOR;
import static io.socketproxy.libc.Constants.MSG_MORE;
import static io.socketproxy.libc.Constants.MSG_NOSIGNAL;
import static io.socketproxy.libc.Constants.MSG_OOB;
import static io.socketproxy.libc.Constants.MSG_PEEK;
import static io.socketproxy.libc.Constants.MSG_TRUNC;
import static io.socketproxy.libc.Constants.MSG_WAITALL;

import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Errno;

/**
 * The MSG_ flags that a remote caller may pass; the others act on pointers into this process (MSG_ZEROCOPY), connect by themselves
 * (MSG_FASTOPEN), or read what is not the socket's data (MSG_ERRQUEUE). See recv(2), send(2).
 */
public final class MessageFlags {
    private static final int RECV =
            MSG_OOB | MSG_PEEK | MSG_TRUNC | MSG_WAITALL | MSG_DONTWAIT | MSG_NOSIGNAL | MSG_CMSG_CLOEXEC;
    private static final int SEND =
            MSG_OOB | MSG_DONTROUTE | MSG_DONTWAIT | MSG_NOSIGNAL | MSG_MORE | MSG_EOR | MSG_CONFIRM;

    private MessageFlags() {}

    static int forRecv(int flags) {
        return allowed(flags, RECV, "MSG_OOB, MSG_PEEK, MSG_TRUNC, MSG_WAITALL, MSG_DONTWAIT");
    }

    static int forSend(int flags) {
        return allowed(
                flags, SEND, "MSG_OOB, MSG_DONTROUTE, MSG_DONTWAIT, MSG_MORE, MSG_EOR, MSG_CONFIRM, MSG_NOSIGNAL");
    }

    /** Where a protocol lies on the bytes, which has none. */
    static void requireNoUrgent(int flags) {
        if ((flags & MSG_OOB) != 0) {
            throw SocketFault.argument(Errno.EOPNOTSUPP, "flags", "TLS carries no urgent data. Leave MSG_OOB out.");
        }
    }

    private static int allowed(int flags, int mask, String names) {
        if ((flags & ~mask) != 0) {
            throw SocketFault.argument(
                    Errno.EOPNOTSUPP,
                    "flags",
                    "The flags 0x" + Integer.toHexString(flags & ~mask)
                            + " cannot be passed by a remote caller. Allowed are: " + names + ".");
        }
        return flags;
    }
}
