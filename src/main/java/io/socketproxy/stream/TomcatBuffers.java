package io.socketproxy.stream;

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
 * The two buffers of 8 KiB that Tomcat keeps for each connection, taken away from one that was handed off, which has no use for them.
 *
 * <p>Tomcat pools its channels with their buffers, so others are put back before the connection is closed: those that were taken
 * from a connection since, if there are any, so that many short streams do not each make new ones.
 */
final class TomcatBuffers {
    private static final Logger LOG = LoggerFactory.getLogger(TomcatBuffers.class);
    private static final ByteBuffer NONE = ByteBuffer.allocate(0);
    private static final @Nullable Fields FIELDS = Fields.open();

    /** Pairs that were taken away, 512 KiB of them at most; the others are the garbage collector's. */
    private static final BlockingQueue<Pair> SPARE = new ArrayBlockingQueue<>(32);

    private final SocketBufferHandler buffers;
    private final int readBytes;
    private final int writeBytes;

    private TomcatBuffers(SocketBufferHandler buffers, int readBytes, int writeBytes) {
        this.buffers = buffers;
        this.readBytes = readBytes;
        this.writeBytes = writeBytes;
    }

    private record Pair(ByteBuffer read, ByteBuffer write) {
        boolean isOf(int readBytes, int writeBytes) {
            return read.capacity() == readBytes && write.capacity() == writeBytes;
        }
    }

    private record Fields(VarHandle read, VarHandle write) {
        static @Nullable Fields open() {
            try {
                MethodHandles.Lookup lookup =
                        MethodHandles.privateLookupIn(SocketBufferHandler.class, MethodHandles.lookup());
                return new Fields(
                        lookup.findVarHandle(SocketBufferHandler.class, "readBuffer", ByteBuffer.class),
                        lookup.findVarHandle(SocketBufferHandler.class, "writeBuffer", ByteBuffer.class));
            } catch (ReflectiveOperationException e) {
                LOG.warn("Streams cost 16 KiB more each than they need to: {}", e.toString());
                return null;
            }
        }
    }

    /** Takes empty heap buffers away; null where there are none such. */
    static @Nullable TomcatBuffers take(SocketBufferHandler buffers) {
        if (FIELDS == null || !buffers.isReadBufferEmpty() || !buffers.isWriteBufferEmpty()) {
            return null;
        }
        ByteBuffer read = (ByteBuffer) FIELDS.read().getVolatile(buffers);
        ByteBuffer write = (ByteBuffer) FIELDS.write().getVolatile(buffers);
        if (read.isDirect() || write.isDirect()) {
            return null;
        }
        FIELDS.read().setVolatile(buffers, NONE);
        FIELDS.write().setVolatile(buffers, NONE);
        SPARE.offer(new Pair(read, write));
        return new TomcatBuffers(buffers, read.capacity(), write.capacity());
    }

    /** Puts buffers of the same sizes back. */
    void putBack() {
        if (FIELDS != null) {
            Pair pair = SPARE.poll();
            if (pair == null || !pair.isOf(readBytes, writeBytes)) {
                pair = new Pair(ByteBuffer.allocate(readBytes), ByteBuffer.allocate(writeBytes));
            }
            FIELDS.read().setVolatile(buffers, pair.read());
            FIELDS.write().setVolatile(buffers, pair.write());
            buffers.reset();
        }
    }
}
