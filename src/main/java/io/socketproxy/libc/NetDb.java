package io.socketproxy.libc;

import static io.socketproxy.libc.Linkage.STATE;
import static io.socketproxy.libc.Linkage.cString;
import static io.socketproxy.libc.Linkage.call;
import static io.socketproxy.libc.Linkage.errno;
import static io.socketproxy.libc.Linkage.javaString;
import static io.socketproxy.libc.Linkage.unexpected;
import static io.socketproxy.libc.Linkage.voidCall;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Names and services; netdb.h. These calls read files or the network, so they must be made on threads that may block. All methods may be
 * called concurrently.
 */
@SuppressWarnings("restricted")
public final class NetDb {
    private static final int ERANGE = 34;

    private static final MethodHandle GETADDRINFO = call("getaddrinfo", JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS);
    private static final MethodHandle FREEADDRINFO = voidCall("freeaddrinfo", ADDRESS);
    private static final MethodHandle GETNAMEINFO =
            call("getnameinfo", JAVA_INT, ADDRESS, JAVA_INT, ADDRESS, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT);
    private static final MethodHandle GETSERVBYNAME =
            call("getservbyname_r", JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS);
    private static final MethodHandle GETSERVBYPORT =
            call("getservbyport_r", JAVA_INT, JAVA_INT, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS);

    private NetDb() {}

    /** getaddrinfo(3)'s result, in the library's order; {@code error} other than 0 is an EAI_ number. */
    public record Resolved(int error, int errno, List<Info> infos) {
        /** One {@code struct addrinfo}. */
        public record Info(
                int family, int type, int proto, @Nullable String canonname, SockAddr address) {}
    }

    /** getnameinfo(3)'s result; {@code error} other than 0 is an EAI_ number. */
    public record Named(int error, int errno, String host, String service) {}

    /**
     * getaddrinfo(3). Blocks: it may read files and ask name servers.
     *
     * @param host a name or a numeric form; null for the wildcard or loopback address
     * @param service a service's name or a decimal port; null for none
     */
    public static Resolved getaddrinfo(
            @Nullable String host, @Nullable String service, int family, int type, int proto, int flags) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            MemorySegment hints = arena.allocate(Addrinfo.BYTES, 8);
            hints.set(JAVA_INT, Addrinfo.FLAGS, flags);
            hints.set(JAVA_INT, Addrinfo.FAMILY, family);
            hints.set(JAVA_INT, Addrinfo.SOCKTYPE, type);
            hints.set(JAVA_INT, Addrinfo.PROTOCOL, proto);
            MemorySegment list = arena.allocate(ADDRESS);
            int error =
                    (int) GETADDRINFO.invokeExact(state, cString(arena, host), cString(arena, service), hints, list);
            if (error != 0) {
                return new Resolved(error, errno(state), List.of());
            }
            MemorySegment first = list.get(ADDRESS, 0);
            try {
                List<Resolved.Info> infos = new ArrayList<>();
                for (MemorySegment at = first; at.address() != 0; ) {
                    MemorySegment info = at.reinterpret(Addrinfo.BYTES);
                    int length = info.get(JAVA_INT, Addrinfo.ADDRLEN);
                    MemorySegment canonname = info.get(ADDRESS, Addrinfo.CANONNAME);
                    infos.add(new Resolved.Info(
                            info.get(JAVA_INT, Addrinfo.FAMILY),
                            info.get(JAVA_INT, Addrinfo.SOCKTYPE),
                            info.get(JAVA_INT, Addrinfo.PROTOCOL),
                            canonname.address() == 0 ? null : javaString(canonname),
                            SockAddr.fromNative(info.get(ADDRESS, Addrinfo.ADDR).reinterpret(length), length)));
                    at = info.get(ADDRESS, Addrinfo.NEXT);
                }
                return new Resolved(0, 0, List.copyOf(infos));
            } finally {
                FREEADDRINFO.invokeExact(first);
            }
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** getnameinfo(3). Blocks unless the flags ask for numbers only. */
    public static Named getnameinfo(SockAddr address, int flags) {
        int hostBytes = 1025; // NI_MAXHOST
        int serviceBytes = 32; // NI_MAXSERV
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            MemorySegment sockaddr = address.toNative(arena);
            MemorySegment host = arena.allocate(hostBytes);
            MemorySegment service = arena.allocate(serviceBytes);
            int error = (int) GETNAMEINFO.invokeExact(
                    state, sockaddr, (int) sockaddr.byteSize(), host, hostBytes, service, serviceBytes, flags);
            return new Named(
                    error,
                    error == 0 ? 0 : errno(state),
                    error == 0 ? host.getString(0) : "",
                    error == 0 ? service.getString(0) : "");
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** getservbyname(3): the port, or -1 where there is no such service. Reads files. */
    public static int getservbyname(String name, @Nullable String proto) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment serviceName = cString(arena, name);
            MemorySegment protocol = cString(arena, proto);
            MemorySegment servent = servent(arena, (state, entry, buffer, size, found) ->
                    (int) GETSERVBYNAME.invokeExact(state, serviceName, protocol, entry, buffer, size, found));
            return servent.address() == 0
                    ? -1
                    : Short.toUnsignedInt(servent.reinterpret(Servent.BYTES).get(SockAddr.NETWORK_SHORT, Servent.PORT));
        }
    }

    /** getservbyport(3): the service's name, or null where there is none. Reads files. */
    public static @Nullable String getservbyport(int port, @Nullable String proto) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment protocol = cString(arena, proto);
            int networkPort = Short.toUnsignedInt(Short.reverseBytes((short) port));
            MemorySegment servent = servent(arena, (state, entry, buffer, size, found) ->
                    (int) GETSERVBYPORT.invokeExact(state, networkPort, protocol, entry, buffer, size, found));
            return servent.address() == 0
                    ? null
                    : javaString(servent.reinterpret(Servent.BYTES).get(ADDRESS, Servent.NAME));
        }
    }

    /** {@code struct addrinfo}. */
    private static final class Addrinfo {
        static final long BYTES = 48;
        static final long FLAGS = 0;
        static final long FAMILY = 4;
        static final long SOCKTYPE = 8;
        static final long PROTOCOL = 12;
        static final long ADDRLEN = 16;
        static final long ADDR = 24;
        static final long CANONNAME = 32;
        static final long NEXT = 40;
    }

    /** {@code struct servent}. */
    private static final class Servent {
        static final long BYTES = 32;
        static final long NAME = 0;
        static final long PORT = 16;
    }

    private interface ServiceLookup {
        int find(MemorySegment state, MemorySegment entry, MemorySegment buffer, long size, MemorySegment found)
                throws Throwable;
    }

    /** The found {@code struct servent}, or a null pointer; grows the buffer as the _r calls ask for. */
    private static MemorySegment servent(Arena arena, ServiceLookup lookup) {
        try {
            MemorySegment state = arena.allocate(STATE);
            MemorySegment entry = arena.allocate(Servent.BYTES, 8);
            MemorySegment found = arena.allocate(ADDRESS);
            for (long size = 1024; size <= 1 << 20; size *= 4) {
                MemorySegment buffer = arena.allocate(size, 8);
                if (lookup.find(state, entry, buffer, size, found) != ERANGE) {
                    return found.get(ADDRESS, 0);
                }
            }
            return MemorySegment.NULL;
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }
}
