package io.socketproxy.registry;

import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.policy.Decision;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** What happens to handles, for those who log and measure. Called on the thread of the call; must not block or throw. */
public interface SocketEvents {
    /** What was to be done with an address. */
    enum Operation {
        CONNECT,
        SENDTO,
        BIND,
        LISTEN
    }

    /** Why a handle ended. */
    enum CloseReason {
        CLOSED,
        LEASE_EXPIRED,
        SHUTDOWN
    }

    /** Why a stream ended. */
    enum DetachReason {
        /** The client closed it, or the socket through it. */
        CLIENT_CLOSED,
        /** The client's connection broke without a word, or its host did not answer any more. */
        CLIENT_LOST,
        /** The client broke RFC 6455's rules or a limit. */
        CLIENT_ERROR,
        /** The target ended in good order. */
        TARGET_ENDED,
        /** The target failed. */
        TARGET_FAILED,
        /** The handle was closed beside the stream. */
        HANDLE_CLOSED,
        /** Another stream resumed it. */
        REPLACED,
        /** The server is stopping. */
        SHUTDOWN
    }

    /** What carries a stream's client. */
    enum Carrier {
        /** The event loop, by a descriptor of its own. */
        EVENT_LOOP,
        /** The request itself, by its thread: no WebSocket is there. */
        REQUEST
    }

    /** Policy decided about an address. */
    default void decided(String owner, Operation operation, Decision decision) {}

    /**
     * A connect tried an address, of several perhaps; {@link #connected} tells of the whole.
     *
     * @param took since it was started
     * @param errno what it failed with, ECANCELED where another address was faster; null where it is connected
     */
    default void attempted(Handle handle, SockAddr address, Duration took, @Nullable Errno errno) {}

    /**
     * A connect came to its end.
     *
     * @param address to which; the last one that was tried where none answered
     * @param took since it was started; of several calls for one connection, the last one's time
     * @param errno what it failed with; null where it is connected
     */
    default void connected(Handle handle, SockAddr address, Duration took, @Nullable Errno errno) {}

    /** A listener's connection was accepted; {@link #opened} has told of its handle. */
    default void accepted(Handle listener, Handle handle) {}

    /** A TLS handshake came to its end; {@code failure} is null where it is done, of which {@link Handle#tls} tells. */
    default void secured(Handle handle, Duration took, @Nullable SocketFault failure) {}

    /** A call failed, by what its caller is told: denials and refusals by quotas are among these. */
    default void failed(SocketFault fault) {}

    /** A handle was opened. */
    default void opened(Handle handle) {}

    /** A handle ended. */
    default void closed(Handle handle, CloseReason why) {}

    /** A WebSocket is asked for; told on the thread of the request, which what comes after is not. */
    default void streamRequested(Handle handle) {}

    /** A WebSocket, or a request that is a stream, was attached to a handle. */
    default void streamOpened(Handle handle, Carrier carrier) {}

    /**
     * A stream ended.
     *
     * @param toClient bytes of the socket's that were sent to the client
     * @param fromClient bytes of the client's that were taken for the socket
     */
    default void streamClosed(Handle handle, Carrier carrier, DetachReason why, long toClient, long fromClient) {}
}
