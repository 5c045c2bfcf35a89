package io.socketproxy.websocket;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.EventLoop;
import io.socketproxy.frontdoor.ClientSocket;
import io.socketproxy.frontdoor.ConnectionBuffers;
import io.socketproxy.libc.Libc;
import io.socketproxy.wire.DescriptorWire;
import io.socketproxy.wire.Handshake;
import io.socketproxy.wire.TlsWire;
import io.socketproxy.wire.Wire;
import jakarta.servlet.http.WebConnection;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Selector;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import org.apache.coyote.http11.upgrade.InternalHttpUpgradeHandler;
import org.apache.tomcat.util.net.AbstractEndpoint.Handler.SocketState;
import org.apache.tomcat.util.net.NioEndpoint.NioSocketWrapper;
import org.apache.tomcat.util.net.SSLSupport;
import org.apache.tomcat.util.net.SecureNioChannel;
import org.apache.tomcat.util.net.SocketBufferHandler;
import org.apache.tomcat.util.net.SocketEvent;
import org.apache.tomcat.util.net.SocketWrapperBase;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where Tomcat lets go of a connection after the 101: it is handed to the event loop, with its TLS where it has that.
 *
 * <p>Made by Tomcat. It says that it does its I/O by itself, so Tomcat leaves the connection alone; Tomcat's end of it stays open and
 * idle, counts against {@code socket-proxy.connections.max}, and is closed last.
 */
public final class HandOver implements InternalHttpUpgradeHandler {
    private static final Logger LOG = LoggerFactory.getLogger(HandOver.class);

    private static final long WAKE_MILLIS = 5;

    /** The pollers that have been promised a wake-up. */
    private static final Set<Selector> TO_WAKE = ConcurrentHashMap.newKeySet();

    private @Nullable Served served;
    private @Nullable WebSockets webSockets;
    private @Nullable SocketWrapperBase<?> wrapper;

    void prepare(Served toServe, WebSockets among) {
        served = toServe;
        webSockets = among;
    }

    @Override
    public void setSocketWrapper(SocketWrapperBase<?> socketWrapper) {
        wrapper = socketWrapper;
    }

    @Override
    public boolean hasAsyncIO() {
        return true;
    }

    @Override
    public void init(WebConnection connection) {
        Served who = served;
        WebSockets among = webSockets;
        SocketWrapperBase<?> tomcats = wrapper;
        if (who == null || among == null || tomcats == null) {
            throw new IllegalStateException("upgraded for nobody");
        }
        try {
            Wire wire = handedOver(who, tomcats);
            among.begin(who, new WebSocketConnection(wire, who.maxMessageBytes(), who.closeTimeout(), among::gone));
        } catch (IOException | RuntimeException | Error e) {
            LOG.debug("A client went before it was served", e);
            TomcatEnd.afterwards(tomcats, tomcats::close);
            among.abandon(who);
        }
    }

    /** The connection on a descriptor of its own. */
    private static Wire handedOver(Served who, SocketWrapperBase<?> tomcats) throws IOException {
        if (!(tomcats instanceof NioSocketWrapper nio)) {
            throw new IOException("not of NIO: " + tomcats.getClass().getName());
        }
        int descriptor = ClientSocket.descriptor(nio.getSocket().getIOChannel());
        int duplicate = descriptor < 0 ? descriptor : Libc.dup(descriptor);
        if (duplicate < 0) {
            throw new IOException("no descriptor for the connection: " + duplicate);
        }
        ByteBuf early;
        ClientSocket.@Nullable Tls tls;
        try {
            early = readEarly(nio);
            tls = nio.getSocket() instanceof SecureNioChannel secure ? takeTls(secure) : null;
        } catch (IOException | RuntimeException | Error e) {
            Libc.close(duplicate);
            throw e;
        }
        ConnectionBuffers.take(nio.getSocketBufferHandler());
        // In this order: the duplicate is closed before, then Tomcat's end, whose poller must wake up to let go.
        DescriptorWire wire = new DescriptorWire(
                duplicate, who.loop(), 0, who.memory(), () -> TomcatEnd.whenDone(nio, () -> close(nio, who.loop())));
        if (tls != null) {
            return secured(wire, tls, early);
        }
        if (early != null) {
            wire.unread(early);
        }
        return wire;
    }

    private static ClientSocket.Tls takeTls(SecureNioChannel channel) throws IOException {
        if (channel.getSslEngine().getHandshakeStatus() != HandshakeStatus.NOT_HANDSHAKING) {
            throw new IOException("TLS has more to say than data");
        }
        return ClientSocket.takeTls(channel);
    }

    private static Wire secured(DescriptorWire wire, ClientSocket.Tls tls, @Nullable ByteBuf early) {
        TlsWire secured = new TlsWire(wire, tls.engine(), 0, Thread::startVirtualThread, Handshake.HAD);
        if (tls.received().hasRemaining()) {
            wire.unread(direct(tls.received()));
        }
        if (tls.unsent().hasRemaining()) {
            wire.write(direct(tls.unsent()));
        }
        if (early != null) {
            secured.unread(early);
        }
        return secured;
    }

    private static ByteBuf direct(ByteBuffer bytes) {
        return PooledByteBufAllocator.DEFAULT.directBuffer(bytes.remaining()).writeBytes(bytes);
    }

    private static void close(NioSocketWrapper nio, EventLoop loop) {
        nio.close();
        wakeSoon(nio.getPoller().getSelector(), loop);
    }

    /** Tomcat's poller lets go of closed channels when it next looks; those of a few milliseconds share one wake-up. */
    private static void wakeSoon(Selector poller, EventLoop loop) {
        if (TO_WAKE.add(poller)) {
            try {
                loop.schedule(() -> wake(poller), WAKE_MILLIS, TimeUnit.MILLISECONDS);
            } catch (RejectedExecutionException e) {
                wake(poller);
            }
        }
    }

    private static void wake(Selector poller) {
        TO_WAKE.remove(poller);
        poller.wakeup();
    }

    /** What Tomcat has read beyond the handshake; null for nothing. The rest is still in the kernel. */
    private static @Nullable ByteBuf readEarly(NioSocketWrapper nio) throws IOException {
        SocketBufferHandler buffers = nio.getSocketBufferHandler();
        if (buffers.isReadBufferEmpty()) {
            return null;
        }
        // With room for all of it, since only the first read is sure to take from Tomcat's buffer alone.
        int room = buffers.getReadBuffer().capacity();
        ByteBuf early = PooledByteBufAllocator.DEFAULT.directBuffer(room);
        try {
            return early.writerIndex(Math.max(0, nio.read(false, early.nioBuffer(0, room))));
        } catch (IOException | RuntimeException | Error e) {
            early.release();
            throw e;
        }
    }

    @Override
    public SocketState upgradeDispatch(SocketEvent status) {
        // Tomcat stops, or found the connection broken: ours to find out and to close. It must not listen to it again.
        return SocketState.ASYNC_IO;
    }

    @Override
    public void timeoutAsync(long now) {
        // Nothing of Tomcat's waits.
    }

    @Override
    public void setSslSupport(SSLSupport sslSupport) {
        // Nobody asks for it.
    }

    @Override
    public void pause() {
        // The streams are drained before Tomcat stops.
    }

    @Override
    public void destroy() {
        // Whoever serves the connection has its end.
    }
}
