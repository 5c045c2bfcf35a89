package io.socketproxy.fault;

import static io.socketproxy.fault.SocketState.CONNECTED;
import static io.socketproxy.fault.SocketState.CONNECTING;
import static io.socketproxy.fault.SocketState.DISCONNECTED;
import static io.socketproxy.fault.SocketState.LISTENING;
import static io.socketproxy.fault.SocketState.UNBOUND;

import io.socketproxy.address.InetText;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.SockAddr;
import org.jspecify.annotations.Nullable;

/**
 * The one table from a call and its errno to words: what happened, with the address and the socket's state, and what to do about it.
 * docs/errors.md is the same table for readers, and openapi/openapi.yaml has examples.
 *
 * @param happened without a full stop
 * @param todo likewise; empty where nothing can be done
 */
record Sentences(String happened, String todo) {
    /** Both. */
    String whole() {
        return todo.isEmpty() ? happened + "." : happened + ". " + todo + ".";
    }

    /**
     * The words for a failed call.
     *
     * @param given what the call was given, an address or an option; null for nothing
     * @param at null where nothing is known of the socket
     */
    static Sentences of(Errno errno, Call call, @Nullable Object given, @Nullable Situation at) {
        Object subject = given == null ? "option" : given;
        SockAddr target = given instanceof SockAddr address ? address : null;
        SockAddr peer = target != null || at == null ? target : at.peer();
        return switch (errno) {
            case EPERM, EACCES -> forbidden(call, given, target);
            case ENOENT ->
                switch (call) {
                    case SETSOCKOPT -> say("The kernel has nothing of this name for " + subject, "Use another value");
                    case BIND -> say("The directory of " + name(target) + " does not exist", "Check the path");
                    default -> say("There is no socket at " + name(target), "Check the path");
                };
            case EINTR -> say("The call was broken off", "Call again");
            case EBADF -> say("The socket is closed", "Make a new one with POST /api/v1/sockets");
            case EAGAIN ->
                call == Call.CONNECT
                        ? say("The backlog of " + name(target) + " is full", "Try again, or allow more time")
                        : say(
                                "The peer does not read and the send buffer is full: nothing was taken in time",
                                "Try again, or poll for POLLOUT");
            case ENOMEM, ENOBUFS -> say("The kernel has no room for this now", "Try again later");
            case EINVAL -> invalid(call, subject, target, at);
            case ENFILE -> say("The server's machine is out of descriptors", "Try again later");
            case EMFILE ->
                say(
                        "The server's process is out of descriptors",
                        "Try again later, or ask the operator to raise its limit");
            case EPIPE -> pipe(at, peer);
            case EDESTADDRREQ ->
                say(
                        "The datagram has no destination, and the socket is not connected",
                        "Give host and port, or connect it first");
            case EMSGSIZE ->
                say(
                        "The datagram is longer than the protocol takes: over UDP and IPv4 65507 bytes are the most",
                        "Send less at once");
            case EPROTOTYPE -> say(first(target) + " is a socket of another type", "Make a socket of that type");
            case ENOPROTOOPT ->
                say(
                        "The kernel knows no " + subject + " for this socket"
                                + (call == Call.SETSOCKOPT ? ", or it can only be read" : ""),
                        "Check level and name against GET /api/v1/constants");
            case EPROTONOSUPPORT ->
                say("This protocol does not go with the family and type", "Use 0 for the usual protocol");
            case ESOCKTNOSUPPORT -> say("Sockets of this type are not offered", "Use SOCK_STREAM or SOCK_DGRAM");
            case EOPNOTSUPP -> unsupported(call, subject);
            case EAFNOSUPPORT ->
                target == null
                        ? say("The server's kernel does not offer this family", "Use AF_INET")
                        : say(
                                first(target) + " is not of the socket's family",
                                "Give an address of that family, or make a socket of the address's");
            case EADDRINUSE -> inUse(call, target, at);
            case EADDRNOTAVAIL ->
                target == null
                        ? say("The name has no address that could be tried", "Check the name")
                        : call == Call.BIND
                                ? say(
                                        (target instanceof SockAddr.Unix ? first(target) : InetText.host(target))
                                                + " is not an address of the server",
                                        "Use one that is, or the wildcard address")
                                : say("No local port is free for a connection to " + name(target), "Try again later");
            case ENETDOWN, ENETUNREACH, ENONET ->
                say(
                        "The server has no route to " + name(peer),
                        peer instanceof SockAddr.Inet6 ? "Try an IPv4 address" : "Check the address");
            case EHOSTUNREACH, EHOSTDOWN -> say("The network has no way to " + name(peer), "Check the address");
            case ECONNABORTED ->
                call == Call.ACCEPT
                        ? say("The connection was aborted before it was accepted", "Call accept again")
                        : say(
                                "The connection to " + name(peer) + " was aborted",
                                "Close the socket and connect a new one");
            case ECONNRESET -> say(first(peer) + " reset the connection", "Close the socket and connect a new one");
            case EISCONN -> connected(call, at, peer);
            case ENOTCONN, ESHUTDOWN -> unconnected(at);
            case ETIMEDOUT ->
                call == Call.CONNECT || at == null || at.state() == CONNECTING
                        ? say(first(peer) + " did not answer in time", "Check the address, or allow more time")
                        : say(
                                first(peer) + " has not answered for so long that the connection was given up",
                                "Close the socket and connect a new one");
            case ECONNREFUSED ->
                call == Call.CONNECT || at == null || at.stream()
                        ? say(
                                first(peer) + " refused the connection: nothing listens there",
                                "Check host and port, or try again later")
                        : say(
                                first(peer) + " refused an earlier datagram: nothing listens there",
                                "Check the port; the socket may go on");
            case EALREADY ->
                say("Another call is waiting for this socket to connect", "Poll for POLLOUT, or wait for that call");
            case EINPROGRESS ->
                say(
                        "The connection to " + name(peer) + " is not established yet, the kernel goes on",
                        "Poll for POLLOUT, or call connect again to wait on");
            default -> say("The kernel says: " + errno.strerror(), "GET /api/v1/sockets/{id} tells the socket's state");
        };
    }

    private static Sentences forbidden(Call call, @Nullable Object subject, @Nullable SockAddr target) {
        if (subject != null && target == null) {
            return say("The server's process may not set " + subject + " to this", "Use another value");
        }
        if (target instanceof SockAddr.Unix) {
            return say("The server's process has no leave for " + name(target), "Ask the operator");
        }
        return call == Call.BIND
                ? say(
                        "The server's process may not bind " + name(target),
                        "Use a port from 1024 on, or ask the operator")
                : say(
                        "The kernel lets nothing be sent to " + name(target),
                        "If it is a broadcast address, set SO_BROADCAST; otherwise ask the operator");
    }

    private static Sentences invalid(
            Call call, @Nullable Object subject, @Nullable SockAddr target, @Nullable Situation at) {
        SocketState state = at == null ? null : at.state();
        return switch (call) {
            case BIND ->
                at != null && state != UNBOUND
                        ? say(
                                "The socket is bound to " + name(at.local()) + " already",
                                "Make a new one to bind another address")
                        : say("The kernel does not bind " + name(target), "A link-local address needs its scopeId");
            case CONNECT ->
                say("The kernel does not connect to " + name(target), "A link-local address needs its scopeId");
            case LISTEN ->
                state == UNBOUND
                        ? say("The socket is not bound", "Call bind first")
                        : say("The socket is " + been(at) + " and cannot listen", "Make a new one");
            case ACCEPT ->
                state == CONNECTED || state == DISCONNECTED || state == CONNECTING
                        ? say("The socket is " + been(at) + " and does not listen", "Make a new one to listen")
                        : say("The socket does not listen", "Call listen first");
            case RECEIVE -> say("No urgent data is there", "Poll for POLLPRI");
            case GETSOCKOPT, SETSOCKOPT ->
                say(
                        "The kernel does not take this value or length for " + subject
                                + ", or not in this state of the socket",
                        "Correct it, or set the option before bind and connect");
            default -> say("The socket's state does not allow this", "GET /api/v1/sockets/{id} tells the state");
        };
    }

    /** What a socket is that cannot listen. */
    private static String been(@Nullable Situation at) {
        if (at == null) {
            return "in use";
        }
        return switch (at.state()) {
            case CONNECTED -> "connected to " + name(at.peer());
            case CONNECTING -> "connecting to " + name(at.peer());
            case DISCONNECTED -> "one that was connected";
            default -> "bound to " + name(at.local());
        };
    }

    private static Sentences pipe(@Nullable Situation at, @Nullable SockAddr peer) {
        if (at != null && at.shut()) {
            return say(
                    "SHUT_WR was called on this socket: nothing more can be sent",
                    "What there is to read can still be read");
        }
        SocketState state = at == null ? CONNECTED : at.state();
        return state == CONNECTED || state == DISCONNECTED
                ? say(
                        first(peer) + " has closed the connection: nothing more can be sent",
                        "Close the socket and connect a new one")
                : unconnected(at);
    }

    private static Sentences connected(Call call, @Nullable Situation at, @Nullable SockAddr target) {
        if (at != null && at.state() == LISTENING) {
            return say("The socket listens and cannot connect", "Make a new one to connect");
        }
        SockAddr peer = at == null ? target : at.peer();
        return call == Call.SEND
                ? say("The socket is connected to " + name(peer) + " and takes no other destination", "Use send")
                : say("The socket is connected to " + name(peer) + " already", "Make a new one for another peer");
    }

    private static Sentences unconnected(@Nullable Situation at) {
        return switch (at == null ? UNBOUND : at.state()) {
            case LISTENING ->
                say("The socket listens and has no peer", "Call accept, and use the socket that it answers with");
            case CONNECTING ->
                say(
                        "The connection to " + name(at == null ? null : at.peer()) + " is not established yet",
                        "Poll for POLLOUT, or call connect again to wait on");
            case DISCONNECTED ->
                say(
                        "The connection to " + name(at == null ? null : at.peer()) + " has ended",
                        "Close the socket and connect a new one");
            default -> say("The socket is not connected", "Call connect first");
        };
    }

    private static Sentences unsupported(Call call, @Nullable Object subject) {
        return switch (call) {
            case LISTEN, ACCEPT ->
                say("A SOCK_DGRAM socket does not listen or accept", "Receive from it with recvfrom");
            case GETSOCKOPT, SETSOCKOPT -> say("A socket of this family and type has no " + subject, "Leave it out");
            case RECEIVE, SEND -> say("A socket of this type has no out-of-band data", "Leave out MSG_OOB");
            default -> say("A socket of this type does not support this", "Use a socket of the other type");
        };
    }

    private static Sentences inUse(Call call, @Nullable SockAddr target, @Nullable Situation at) {
        if (call == Call.CONNECT) {
            return say(
                    "There is a connection from this local address to " + name(target) + " already",
                    "Use another local port");
        }
        SockAddr address = target != null || at == null ? target : at.local();
        return address instanceof SockAddr.Unix
                ? say("There is something at " + name(address) + " already", "Use another path")
                : say("Another socket is bound to " + name(address), "Use another port, or 0 for an ephemeral one");
    }

    private static Sentences say(String happened, String todo) {
        return new Sentences(happened, todo);
    }

    /** An AF_UNIX socket's peer has no name in most cases. */
    private static String name(@Nullable SockAddr address) {
        return address == null || InetText.host(address).isEmpty() ? "the peer" : InetText.display(address);
    }

    /** At the beginning of a sentence. */
    private static String first(@Nullable SockAddr address) {
        String name = name(address);
        return name.equals("the peer") ? "The peer" : name;
    }
}
