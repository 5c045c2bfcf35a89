package io.socketproxy.stream;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.apache.tomcat.util.net.SocketBufferHandler;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class TomcatBuffersTest {
    private static SocketBufferHandler buffers(int readBytes, int writeBytes) {
        return new SocketBufferHandler(readBytes, writeBytes, false);
    }

    private static TomcatBuffers taken(SocketBufferHandler from) {
        @Nullable TomcatBuffers taken = TomcatBuffers.take(from);
        assertThat(taken).isNotNull();
        return taken;
    }

    private static void assertEmpty(SocketBufferHandler buffers, int readBytes, int writeBytes) {
        assertThat(buffers.isReadBufferEmpty()).isTrue();
        assertThat(buffers.isWriteBufferEmpty()).isTrue();
        buffers.configureReadBufferForWrite();
        buffers.configureWriteBufferForWrite();
        assertThat(buffers.getReadBuffer().remaining()).isEqualTo(readBytes);
        assertThat(buffers.getWriteBuffer().remaining()).isEqualTo(writeBytes);
        buffers.reset();
    }

    @Test
    void anIdleConnectionHoldsNone() {
        SocketBufferHandler connection = buffers(8192, 8192);
        TomcatBuffers taken = taken(connection);
        assertThat(connection.getReadBuffer().capacity()).isZero();
        assertThat(connection.getWriteBuffer().capacity()).isZero();
        taken.putBack();
        assertEmpty(connection, 8192, 8192);
    }

    @Test
    void whatOneHadGoesToTheNextThatCloses() {
        SocketBufferHandler closing = buffers(8192, 8192);
        TomcatBuffers taken = taken(closing);
        for (int i = 0; i < 100; i++) {
            taken.putBack(); // whatever is spare from before
        }
        SocketBufferHandler opened = buffers(8192, 8192);
        ByteBuffer read = opened.getReadBuffer();
        ByteBuffer write = opened.getWriteBuffer();
        taken(opened);
        taken.putBack();
        assertThat(closing.getReadBuffer()).isSameAs(read);
        assertThat(closing.getWriteBuffer()).isSameAs(write);
        taken.putBack();
        assertThat(closing.getReadBuffer()).isNotSameAs(read);
    }

    @Test
    void noPairIsGivenTwice() {
        List<SocketBufferHandler> connections = new ArrayList<>();
        List<TomcatBuffers> taken = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            connections.add(buffers(8192, 8192));
            taken.add(taken(connections.getLast()));
        }
        taken.forEach(TomcatBuffers::putBack);
        for (int i = 0; i < connections.size(); i++) {
            connections.get(i).getReadBuffer().putInt(0, i);
            connections.get(i).getWriteBuffer().putInt(0, -i);
        }
        for (int i = 0; i < connections.size(); i++) {
            assertThat(connections.get(i).getReadBuffer().getInt(0)).isEqualTo(i);
            assertThat(connections.get(i).getWriteBuffer().getInt(0)).isEqualTo(-i);
            assertEmpty(connections.get(i), 8192, 8192);
        }
    }

    @Test
    void sizesStayThoseOfTheConnection() {
        taken(buffers(8192, 8192));
        SocketBufferHandler small = buffers(512, 1024);
        taken(small).putBack();
        assertEmpty(small, 512, 1024);
    }

    @Test
    void buffersThatHoldBytesAreLeft() {
        SocketBufferHandler connection = buffers(8192, 8192);
        connection.configureReadBufferForWrite();
        connection.getReadBuffer().put((byte) 1);
        assertThat(TomcatBuffers.take(connection)).isNull();
        assertThat(connection.getReadBuffer().capacity()).isEqualTo(8192);
    }
}
