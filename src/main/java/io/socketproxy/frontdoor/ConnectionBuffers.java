package io.socketproxy.frontdoor;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import org.apache.tomcat.util.net.SocketBufferHandler;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The two buffers that Tomcat has for each plain connection, given to those only that have a use for them: from the first byte of a
 * request to its answer. Idle connections, and those that were handed off, have none.
 */
public final class ConnectionBuffers {
    private static final Logger LOG = LoggerFactory.getLogger(ConnectionBuffers.class);

    /** Of each, as Tomcat has them by itself. */
    static final int BYTES = 8192;

    private static final ByteBuffer NONE = ByteBuffer.allocate(0);
    private static final @Nullable Fields FIELDS = Fields.open();

    /** Pairs that were taken away, 1 MiB of them at most; the others are the garbage collector's. */
    private static final BlockingQueue<Pair> SPARE = new ArrayBlockingQueue<>(64);

    private ConnectionBuffers() {}

    private record Pair(ByteBuffer read, ByteBuffer write) {}

    private record Fields(VarHandle read, VarHandle write) {
        static @Nullable Fields open() {
            try {
                MethodHandles.Lookup lookup =
                        MethodHandles.privateLookupIn(SocketBufferHandler.class, MethodHandles.lookup());
                return new Fields(
                        lookup.findVarHandle(SocketBufferHandler.class, "readBuffer", ByteBuffer.class),
                        lookup.findVarHandle(SocketBufferHandler.class, "writeBuffer", ByteBuffer.class));
            } catch (ReflectiveOperationException e) {
                LOG.warn("Connections cost 16 KiB more each than they need to: {}", e.toString());
                return null;
            }
        }
    }

    /** Whether buffers can be given and taken at all. */
    static boolean available() {
        return FIELDS != null;
    }

    /**
     * Gives buffers to a connection that has none.
     *
     * @param atLeast bytes that the one for reading has room for
     */
    static void give(SocketBufferHandler buffers, int atLeast) {
        if (FIELDS == null || buffers.getReadBuffer().capacity() >= Math.max(atLeast, 1)) {
            return;
        }
        Pair pair = SPARE.poll();
        if (pair == null) {
            pair = new Pair(ByteBuffer.allocate(BYTES), ByteBuffer.allocate(BYTES));
        }
        ByteBuffer read = pair.read();
        if (atLeast > BYTES) {
            read = ByteBuffer.allocate(atLeast);
        }
        FIELDS.read().setVolatile(buffers, read);
        FIELDS.write().setVolatile(buffers, pair.write());
        buffers.reset();
    }

    /** Takes empty heap buffers away; none that hold something. */
    public static void take(SocketBufferHandler buffers) {
        if (FIELDS == null || !buffers.isReadBufferEmpty() || !buffers.isWriteBufferEmpty()) {
            return;
        }
        ByteBuffer read = (ByteBuffer) FIELDS.read().getVolatile(buffers);
        ByteBuffer write = (ByteBuffer) FIELDS.write().getVolatile(buffers);
        if (read.isDirect() || write.isDirect()) {
            return;
        }
        buffers.reset();
        FIELDS.read().setVolatile(buffers, NONE);
        FIELDS.write().setVolatile(buffers, NONE);
        if (read.capacity() == BYTES && write.capacity() == BYTES) {
            SPARE.offer(new Pair(read, write));
        }
    }
}
