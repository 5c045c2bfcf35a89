package io.socketproxy.frontdoor;

import io.socketproxy.frontdoor.HttpConnection.Phase;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Lock;
import org.apache.catalina.connector.CoyoteAdapter;
import org.apache.coyote.Request;
import org.apache.coyote.Response;
import org.apache.coyote.http11.Http11NioProtocol;
import org.apache.tomcat.util.net.NioChannel;
import org.apache.tomcat.util.net.NioEndpoint;
import org.apache.tomcat.util.net.SocketBufferHandler;
import org.apache.tomcat.util.net.SocketEvent;
import org.apache.tomcat.util.net.SocketWrapperBase;
import org.jspecify.annotations.Nullable;

/**
 * Tomcat's HTTP/1.1, which here gets to see a connection only when the header of a request is whole.
 *
 * <p>Its parser takes 60 KiB for a connection from the first byte on, and gives each byte as much time as the whole header. So what comes
 * before the end of a header is kept aside, as long as it is, and not for longer than a header may take.
 *
 * <p>Made by Tomcat.
 */
public final class FrontDoor extends Http11NioProtocol {
    private static final byte[] TOO_SLOW =
            "HTTP/1.1 408 \r\nConnection: close\r\nContent-Length: 0\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

    private static final int PARTIAL_CONTENT = 206;

    private final Endpoint endpoint;
    private volatile @Nullable Connections connections;
    private @Nullable ScheduledFuture<?> sweeper;

    /** As Tomcat wants it. */
    public FrontDoor() {
        this(new Endpoint());
    }

    private FrontDoor(Endpoint endpoint) {
        super(endpoint);
        this.endpoint = endpoint;
        endpoint.door = this;
        Turns turns = new Turns(this);
        setHandler(turns);
        endpoint.setHandler(turns);
    }

    /** Sets the limits. To be called before it is started. */
    void limit(Connections limited) {
        connections = limited;
        limited.closeBy(this::close);
        // Above the limit, so that who finds no room is refused and not left waiting.
        setMaxConnections(limited.max() + limited.max() / 10 + 16);
        // A body that nobody will read is not asked for: RFC 9110 section 10.1.1.
        setContinueResponseTiming("onRead");
    }

    @Override
    public void init() throws Exception {
        if (hasOwnBuffers()) {
            endpoint.getSocketProperties().setAppReadBufSize(0);
            endpoint.getSocketProperties().setAppWriteBufSize(0);
        }
        if (isSSLEnabled()) {
            // A connection that was handed over has lost its buffers, and cannot be another's.
            endpoint.getSocketProperties().setBufferPool(0);
        }
        super.init();
    }

    /** Whether connections get their buffers here; those of TLS are Tomcat's. */
    private boolean hasOwnBuffers() {
        return ConnectionBuffers.available() && !isSSLEnabled();
    }

    @Override
    public void start() throws Exception {
        super.start();
        Connections limited = connections;
        if (limited != null) {
            sweeper = getUtilityExecutor().scheduleWithFixedDelay(limited::sweep, 1, 1, TimeUnit.SECONDS);
        }
    }

    @Override
    public void stop() throws Exception {
        ScheduledFuture<?> sweeping = sweeper;
        if (sweeping != null) {
            sweeping.cancel(false);
        }
        super.stop();
    }

    /** A part of a file is of its bytes as they are: RFC 9110 section 14.4. */
    @Override
    public boolean useCompression(Request request, Response response) {
        return response.getStatus() != PARTIAL_CONTENT && isLong(response) && super.useCompression(request, response);
    }

    /** Whether it is or has come to the length from which compressing pays: most answers to calls are short, and flushed without telling it. */
    private boolean isLong(Response response) {
        return response.getContentLengthLong() >= 0
                || !(response.getNote(CoyoteAdapter.ADAPTER_NOTES)
                        instanceof org.apache.catalina.connector.Response written)
                || written.getContentWritten() >= getCompressionMinSize();
    }

    private @Nullable HttpConnection connection(SocketWrapperBase<NioChannel> wrapper) {
        Connections limited = connections;
        SocketChannel channel = wrapper.getSocket().getIOChannel();
        return limited == null || channel == null ? null : limited.of(channel);
    }

    /**
     * Ends a connection. Where a thread is at it, that one gets to see its end, and closes it; Tomcat must not close it meanwhile, since
     * it uses what it has of it again.
     */
    private void close(HttpConnection connection, Outcome reason) {
        SocketWrapperBase<NioChannel> wrapper = endpoint.wrapper(connection.channel);
        if (wrapper == null) {
            return;
        }
        Lock lock = wrapper.getLock();
        if (!connection.tls && isWithPoller(wrapper) && lock.tryLock()) {
            try {
                if (reason == Outcome.HEADER_TIMEOUT) {
                    connection.channel.write(ByteBuffer.wrap(TOO_SLOW));
                }
            } catch (IOException e) {
                // It has gone by itself.
            } finally {
                wrapper.close();
                lock.unlock();
            }
            return;
        }
        try {
            // Wakes whoever waits for it, with TLS the poller at least.
            connection.channel.shutdownInput();
            connection.channel.shutdownOutput();
        } catch (IOException e) {
            // It has gone by itself.
        }
    }

    /** Whether the poller has it: it logs an error with a stack trace for one that is closed before. */
    private static boolean isWithPoller(SocketWrapperBase<NioChannel> wrapper) {
        SocketChannel channel = wrapper.getSocket().getIOChannel();
        return channel != null
                && wrapper instanceof NioEndpoint.NioSocketWrapper nio
                && channel.keyFor(nio.getPoller().getSelector()) != null;
    }

    /** Accepts. */
    private static final class Endpoint extends NioEndpoint {
        private @Nullable FrontDoor door;

        @Override
        protected boolean setSocketOptions(SocketChannel socket) {
            Connections limited = door == null ? null : door.connections;
            if (limited == null) {
                return super.setSocketOptions(socket);
            }
            HttpConnection connection = limited.accepted(socket, remote(socket), isSSLEnabled());
            if (connection == null) {
                destroySocket(socket);
                return false;
            }
            boolean done = super.setSocketOptions(socket);
            if (!done && wrapper(socket) == null) {
                limited.gone(connection);
            }
            // It could not be closed before Tomcat had it.
            return done && !connection.closing;
        }

        private static @Nullable SocketAddress remote(SocketChannel socket) {
            try {
                return socket.getRemoteAddress();
            } catch (IOException e) {
                return null;
            }
        }

        @Nullable
        SocketWrapperBase<NioChannel> wrapper(SocketChannel channel) {
            return connections.get(channel);
        }
    }

    /** Takes turns with connections: each time something has come, under the connection's lock. */
    private static final class Turns extends ConnectionHandler<NioChannel> {
        private final FrontDoor door;

        Turns(FrontDoor door) {
            super(door);
            this.door = door;
        }

        @Override
        public SocketState process(SocketWrapperBase<NioChannel> wrapper, SocketEvent status) {
            HttpConnection connection = door.connection(wrapper);
            Connections limited = door.connections;
            if (connection == null || limited == null) {
                return super.process(wrapper, status);
            }
            boolean begins = wrapper.getCurrentProcessor() == null && status == SocketEvent.OPEN_READ;
            if (begins && door.hasOwnBuffers()) {
                try {
                    if (!hasHead((NioEndpoint.NioSocketWrapper) wrapper, connection, limited)) {
                        return SocketState.OPEN;
                    }
                } catch (IOException e) {
                    return SocketState.CLOSED;
                }
            }
            if (begins && !limited.tryServe(connection) && !awaitServe(wrapper, connection, limited)) {
                return SocketState.CLOSED;
            }
            return serve(wrapper, status, connection, limited);
        }

        /** Waits for its turn, with no more in hand than the header. */
        private boolean awaitServe(
                SocketWrapperBase<NioChannel> wrapper, HttpConnection connection, Connections limited) {
            SocketBufferHandler buffers = wrapper.getSocketBufferHandler();
            byte[] head = new byte[0];
            if (door.hasOwnBuffers()) {
                buffers.configureReadBufferForRead();
                head = new byte[buffers.getReadBuffer().remaining()];
                buffers.getReadBuffer().get(head);
                buffers.reset();
                ConnectionBuffers.take(buffers);
            }
            limited.enter(connection, Phase.HEADER, head.length);
            boolean served = limited.awaitServe(connection);
            if (served && door.hasOwnBuffers()) {
                ConnectionBuffers.give(buffers, head.length);
                buffers.unReadReadBuffer(ByteBuffer.wrap(head));
            }
            return served;
        }

        private SocketState serve(
                SocketWrapperBase<NioChannel> wrapper,
                SocketEvent status,
                HttpConnection connection,
                Connections limited) {
            long since = connection.phase == Phase.PARSED ? connection.since : 0;
            if (connection.phase == Phase.PARSED) {
                limited.enter(connection, Phase.SERVED, 0);
            }
            SocketState state =
                    ScopedValue.where(HttpConnection.CURRENT, connection).call(() -> super.process(wrapper, status));
            switch (state) {
                case OPEN -> {
                    if (door.hasOwnBuffers()) {
                        ConnectionBuffers.take(wrapper.getSocketBufferHandler());
                    }
                    limited.enter(connection, Phase.IDLE, 0);
                }
                case LONG -> limited.parsed(connection, connection.since == since ? since : 0);
                case ASYNC_IO, UPGRADED -> limited.enter(connection, Phase.UPGRADED, 0);
                default -> {}
            }
            connection.served(state == SocketState.ASYNC_IO || state == SocketState.UPGRADED);
            return state;
        }

        /**
         * Whether a request's header is whole, which then is where Tomcat reads from; else what has come is kept.
         *
         * @throws IOException where nothing more comes
         */
        private boolean hasHead(NioEndpoint.NioSocketWrapper wrapper, HttpConnection connection, Connections limited)
                throws IOException {
            SocketBufferHandler buffers = wrapper.getSocketBufferHandler();
            if (!buffers.isReadBufferEmpty()) {
                return true;
            }
            byte[] held = connection.held;
            int length = held == null ? 0 : held.length;
            int most = door.getMaxHttpRequestHeaderSize();
            ConnectionBuffers.give(buffers, length < ConnectionBuffers.BYTES / 2 ? 1 : most + ConnectionBuffers.BYTES);
            buffers.configureReadBufferForWrite();
            ByteBuffer bytes = buffers.getReadBuffer();
            if (held != null) {
                bytes.put(held);
            }
            wrapper.updateLastRead();
            if (wrapper.getSocket().read(bytes) < 0) {
                throw new IOException("the client has gone");
            }
            int end = bytes.position();
            if (end > most || RequestHead.isReady(bytes, 0, end)) {
                connection.held = null;
                return true;
            }
            connection.held = new byte[end];
            bytes.get(0, connection.held);
            buffers.reset();
            ConnectionBuffers.take(buffers);
            limited.enter(connection, end == 0 ? Phase.IDLE : Phase.HEADER, end);
            wrapper.registerReadInterest();
            return false;
        }

        @Override
        public void release(SocketWrapperBase<NioChannel> wrapper) {
            HttpConnection connection = door.connection(wrapper);
            super.release(wrapper);
            Connections limited = door.connections;
            if (connection != null && limited != null) {
                limited.gone(connection);
            }
        }
    }
}
