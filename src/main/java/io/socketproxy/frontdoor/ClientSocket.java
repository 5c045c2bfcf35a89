package io.socketproxy.frontdoor;

import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletRequestWrapper;
import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import javax.net.ssl.SSLEngine;
import org.apache.catalina.connector.Request;
import org.apache.catalina.connector.RequestFacade;
import org.apache.coyote.AbstractProcessor;
import org.apache.coyote.ActionHook;
import org.apache.tomcat.util.net.NioChannel;
import org.apache.tomcat.util.net.SecureNioChannel;
import org.apache.tomcat.util.net.SocketWrapperBase;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The TCP connection that a request came by, dug out of Tomcat, which has no public way to it.
 *
 * <p>Needs {@code --add-opens java.base/sun.nio.ch=ALL-UNNAMED}, which the jar's manifest has.
 */
public final class ClientSocket {
    private static final Logger LOG = LoggerFactory.getLogger(ClientSocket.class);
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);
    private static @Nullable String unavailable;
    private static final @Nullable Access ACCESS = Access.open();

    private ClientSocket() {}

    private record Access(
            VarHandle request, VarHandle hook, VarHandle wrapper, MethodHandle descriptor, TlsFields tls) {
        static @Nullable Access open() {
            try {
                MethodHandles.Lookup lookup = MethodHandles.lookup();
                Class<?> channel = Class.forName("sun.nio.ch.SelChImpl");
                return new Access(
                        MethodHandles.privateLookupIn(RequestFacade.class, lookup)
                                .findVarHandle(RequestFacade.class, "request", Request.class),
                        MethodHandles.privateLookupIn(org.apache.coyote.Request.class, lookup)
                                .findVarHandle(org.apache.coyote.Request.class, "hook", ActionHook.class),
                        MethodHandles.privateLookupIn(AbstractProcessor.class, lookup)
                                .findVarHandle(AbstractProcessor.class, "socketWrapper", SocketWrapperBase.class),
                        MethodHandles.privateLookupIn(channel, lookup)
                                .findVirtual(channel, "getFDVal", MethodType.methodType(int.class))
                                .asType(MethodType.methodType(int.class, SocketChannel.class)),
                        TlsFields.open(MethodHandles.privateLookupIn(SecureNioChannel.class, lookup)));
            } catch (ReflectiveOperationException e) {
                unavailable = e.toString();
                LOG.warn("Clients that disconnect while a call waits go unnoticed: {}", unavailable);
                return null;
            }
        }
    }

    private record TlsFields(VarHandle engine, VarHandle received, VarHandle unsent) {
        static TlsFields open(MethodHandles.Lookup lookup) throws ReflectiveOperationException {
            return new TlsFields(
                    lookup.findVarHandle(SecureNioChannel.class, "sslEngine", SSLEngine.class),
                    lookup.findVarHandle(SecureNioChannel.class, "netInBuffer", ByteBuffer.class),
                    lookup.findVarHandle(SecureNioChannel.class, "netOutBuffer", ByteBuffer.class));
        }
    }

    /**
     * TLS of a connection, past its handshake.
     *
     * @param received records that are not decrypted yet
     * @param unsent records that are not sent yet
     */
    public record Tls(SSLEngine engine, ByteBuffer received, ByteBuffer unsent) {}

    /** Why connections cannot be had: another Tomcat or JDK than this was written for; null where they can. */
    public static @Nullable String unavailable() {
        return unavailable;
    }

    /** The descriptor of the connection, which is Tomcat's to close; -1 where it cannot be had. */
    public static int descriptor(ServletRequest request) {
        Access access = ACCESS;
        SocketChannel channel = access == null ? null : channel(request);
        return channel == null ? -1 : descriptor(channel);
    }

    /** The descriptor of a channel, as {@link #descriptor(ServletRequest)}. */
    public static int descriptor(SocketChannel channel) {
        Access access = ACCESS;
        if (access == null) {
            return -1;
        }
        try {
            return (int) access.descriptor().invokeExact(channel);
        } catch (Throwable t) {
            throw new IllegalStateException(t);
        }
    }

    /**
     * Takes TLS away from a connection: Tomcat has no buffers of it any more, and will close it without a word. Not to be used again, see
     * {@link FrontDoor#init}. Under the connection's lock.
     *
     * @throws IllegalStateException where it cannot be had
     */
    public static Tls takeTls(SecureNioChannel channel) {
        Access access = ACCESS;
        if (access == null) {
            throw new IllegalStateException(unavailable);
        }
        TlsFields fields = access.tls();
        ByteBuffer received = (ByteBuffer) fields.received().getAndSet(channel, NOTHING);
        ByteBuffer unsent = (ByteBuffer) fields.unsent().getAndSet(channel, NOTHING);
        SSLEngine engine = (SSLEngine) fields.engine().getAndSet(channel, (SSLEngine) null);
        return new Tls(engine, received.flip(), unsent);
    }

    private static @Nullable SocketChannel channel(ServletRequest request) {
        SocketWrapperBase<?> wrapper = wrapper(request);
        return wrapper == null ? null : channel(wrapper);
    }

    private static @Nullable SocketChannel channel(SocketWrapperBase<?> wrapper) {
        return wrapper.getSocket() instanceof NioChannel channel ? channel.getIOChannel() : null;
    }

    /** The request as Tomcat has it; null where it cannot be had. */
    static @Nullable Request catalina(ServletRequest request) {
        ServletRequest innermost = request;
        while (innermost instanceof ServletRequestWrapper wrapper) {
            innermost = wrapper.getRequest();
        }
        Access access = ACCESS;
        return access != null && innermost instanceof RequestFacade facade
                ? (Request) access.request().get(facade)
                : null;
    }

    /** Tomcat's side of the connection; null where it cannot be had. */
    static @Nullable SocketWrapperBase<?> wrapper(ServletRequest request) {
        Access access = ACCESS;
        Request catalina = catalina(request);
        return access != null
                        && catalina != null
                        && access.hook().getVolatile(catalina.getCoyoteRequest()) instanceof AbstractProcessor processor
                        && access.wrapper().getVolatile(processor) instanceof SocketWrapperBase<?> wrapper
                ? wrapper
                : null;
    }

    /** Whoever reads from the connection is woken, and finds its end. */
    static void endInput(SocketWrapperBase<?> wrapper) {
        SocketChannel channel = channel(wrapper);
        try {
            if (channel != null) {
                channel.shutdownInput();
            }
        } catch (IOException e) {
            // It has gone by itself.
        }
    }
}
