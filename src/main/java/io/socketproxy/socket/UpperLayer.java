package io.socketproxy.socket;

import io.socketproxy.fault.SocketFault;
import io.socketproxy.overload.Room;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A protocol on a connected stream socket's bytes, as TCP_ULP has one in the kernel: those who call the socket receive and send what the
 * protocol carries. None of these waits; they may be called concurrently, and throw {@link SocketFault} with what the protocol failed with.
 */
public interface UpperLayer {
    /**
     * As recv(2).
     *
     * @param peek whether what is received stays
     * @param room where what is received is counted
     * @return at most {@code size} bytes, none at the end of file; null where nothing is there yet
     */
    byte @Nullable [] receive(int size, boolean peek, Room room);

    /** How many bytes could be received now. */
    int available();

    /** Whether more bytes than {@link #available} can come before some are received. */
    boolean takesMore();

    /** Receives all there is, for a stream; empty in most cases. */
    byte[] takeAll();

    /** As send(2): how many bytes were taken; 0 where none are for now. */
    int send(byte[] data, int offset, int length);

    /** What poll(2) says now, for the events that are asked for. */
    int poll(int events);

    /** Completes once {@link #poll} would say one of the events, POLLERR or POLLHUP. */
    CompletableFuture<Integer> when(int events);

    /** Completes with the next arrival of something to receive, or of the end; at once where {@code seen} is not {@link #available} any more. */
    CompletableFuture<Integer> whenMore(int seen);

    /** The socket was closed: those who wait get EBADF. */
    void socketClosed();
}
