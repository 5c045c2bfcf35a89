package io.socketproxy.socket;

import static io.socketproxy.libc.Constants.AF_INET;
import static io.socketproxy.libc.Constants.AF_INET6;
import static io.socketproxy.libc.Constants.AF_UNIX;
import static io.socketproxy.libc.Constants.IPPROTO_TCP;
import static io.socketproxy.libc.Constants.IPPROTO_UDP;
import static io.socketproxy.libc.Constants.SOCK_DGRAM;
import static io.socketproxy.libc.Constants.SOCK_STREAM;

import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;

/** The kinds of socket that a remote caller may have at all, whatever policy says; socket(2). */
public final class RequestedKind {
    /** SOCK_NONBLOCK and SOCK_CLOEXEC, which every socket here is anyway. */
    private static final int TYPE_FLAGS = Constants.require("SOCK_NONBLOCK") | Constants.require("SOCK_CLOEXEC");

    /** linux/in.h: what socket(2) takes for a number of a protocol at all. */
    private static final int IPPROTO_MAX = 263;

    private RequestedKind() {}

    /** The type without its flags, of a kind that may be. */
    public static int requireType(int family, int type, int proto) {
        requireFamily(family);
        int plainType = requireType(type);
        // Others, such as IPPROTO_SCTP or IPPROTO_MPTCP, reach addresses that policy has not seen.
        boolean plain = family == AF_UNIX
                ? proto == 0 || proto == 1
                : proto == 0 || proto == (plainType == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP);
        if (!plain) {
            boolean inRange = proto >= 0 && proto < IPPROTO_MAX;
            throw SocketFault.argument(
                    inRange || family == AF_UNIX ? Errno.EPROTONOSUPPORT : Errno.EINVAL,
                    "proto",
                    "The protocol must be 0, IPPROTO_TCP for SOCK_STREAM or IPPROTO_UDP for SOCK_DGRAM.");
        }
        return plainType;
    }

    public static void requireFamily(int family) {
        if (family != AF_INET && family != AF_INET6 && family != AF_UNIX) {
            throw SocketFault.argument(
                    Errno.EAFNOSUPPORT, "family", "The family must be AF_INET, AF_INET6 or AF_UNIX.");
        }
    }

    /** The type without its flags. */
    public static int requireType(int type) {
        int plainType = type & ~TYPE_FLAGS;
        if (plainType != SOCK_STREAM && plainType != SOCK_DGRAM) {
            boolean known = Constants.nameOf("SOCK_", plainType).isPresent();
            throw SocketFault.argument(
                    known ? Errno.ESOCKTNOSUPPORT : Errno.EINVAL,
                    "type",
                    "The type must be SOCK_STREAM or SOCK_DGRAM.");
        }
        return plainType;
    }
}
