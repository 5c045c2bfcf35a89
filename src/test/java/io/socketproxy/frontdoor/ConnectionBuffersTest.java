package io.socketproxy.frontdoor;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.apache.tomcat.util.net.SocketBufferHandler;
import org.junit.jupiter.api.Test;

class ConnectionBuffersTest {
    private static SocketBufferHandler none() {
        return new SocketBufferHandler(0, 0, false);
    }

    private static SocketBufferHandler given() {
        SocketBufferHandler buffers = none();
        ConnectionBuffers.give(buffers, 1);
        return buffers;
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
        SocketBufferHandler connection = given();
        assertEmpty(connection, 8192, 8192);
        ConnectionBuffers.take(connection);
        assertEmpty(connection, 0, 0);
        ConnectionBuffers.give(connection, 1);
        assertEmpty(connection, 8192, 8192);
    }

    @Test
    void whatOneHadGoesToTheNext() {
        for (int i = 0; i < 100; i++) {
            given(); // whatever is spare from before
        }
        SocketBufferHandler first = given();
        ByteBuffer read = first.getReadBuffer();
        ByteBuffer write = first.getWriteBuffer();
        ConnectionBuffers.take(first);
        SocketBufferHandler next = given();
        assertThat(next.getReadBuffer()).isSameAs(read);
        assertThat(next.getWriteBuffer()).isSameAs(write);
        assertThat(given().getReadBuffer()).isNotSameAs(read);
    }

    @Test
    void noPairIsGivenTwice() {
        List<SocketBufferHandler> connections = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            connections.add(given());
        }
        connections.forEach(ConnectionBuffers::take);
        connections.forEach(connection -> ConnectionBuffers.give(connection, 1));
        for (int i = 0; i < connections.size(); i++) {
            connections.get(i).getReadBuffer().putInt(0, i);
            connections.get(i).getWriteBuffer().putInt(0, -i);
        }
        for (int i = 0; i < connections.size(); i++) {
            assertThat(connections.get(i).getReadBuffer().getInt(0)).isEqualTo(i);
            assertThat(connections.get(i).getWriteBuffer().getInt(0)).isEqualTo(-i);
        }
    }

    @Test
    void buffersThatHoldSomethingStay() {
        SocketBufferHandler connection = given();
        connection.unReadReadBuffer(ByteBuffer.wrap(new byte[] {1}));
        ConnectionBuffers.take(connection);
        assertThat(connection.isReadBufferEmpty()).isFalse();
    }

    @Test
    void aLongHeaderGetsRoomThatIsNotKept() {
        SocketBufferHandler connection = none();
        ConnectionBuffers.give(connection, 20_000);
        assertEmpty(connection, 20_000, 8192);
        ConnectionBuffers.take(connection);
        assertEmpty(given(), 8192, 8192);
    }
}
