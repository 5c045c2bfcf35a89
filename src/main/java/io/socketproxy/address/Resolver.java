package io.socketproxy.address;

import static io.socketproxy.libc.Constants.AF_INET;
import static io.socketproxy.libc.Constants.AF_INET6;
import static io.socketproxy.libc.Constants.AF_UNIX;

import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.Libc;
import io.socketproxy.libc.SockAddr;
import java.net.IDN;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * The C library's resolver, as Python's {@code socket} module presents it.
 *
 * <p>The library blocks while it asks name servers, so look-ups run on a few platform threads with a bounded queue; the caller
 * (a virtual thread) waits for at most the timeout. Numeric forms never leave the caller's thread. All methods may be called
 * concurrently.
 */
public final class Resolver implements AutoCloseable {
    private static final int AI_PASSIVE = Constants.require("AI_PASSIVE");
    private static final int AI_NUMERICHOST = Constants.require("AI_NUMERICHOST");
    private static final int NI_NUMERICHOST = Constants.require("NI_NUMERICHOST");
    private static final int NI_NUMERICSERV = Constants.require("NI_NUMERICSERV");
    private static final int QUEUE = 1024;

    private final ThreadPoolExecutor threads;
    private final Duration timeout;
    private final LookUps lookUps;

    /** Told of each look-up, on the thread of its caller; must not block or throw. */
    public interface LookUps {
        /**
         * A look-up, which numeric forms need none of, came to its end.
         *
         * @param subject the host, address or service that was asked for, of whatever length
         * @param error the EAI_ number; 0 for an answer
         */
        void lookedUp(String subject, Duration took, int error);
    }

    /**
     * @param threadCount how many look-ups may be under way at once
     * @param timeout how long a caller waits before EAI_AGAIN; the library's own attempt ends by its own limits
     */
    public Resolver(int threadCount, Duration timeout, LookUps lookUps) {
        this.lookUps = lookUps;
        this.timeout = timeout;
        this.threads = new ThreadPoolExecutor(
                threadCount,
                threadCount,
                10,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(QUEUE),
                Thread.ofPlatform().daemon().name("resolver-", 0).factory());
        this.threads.allowCoreThreadTimeOut(true);
    }

    /**
     * The addresses of a host and service, in the library's order; getaddrinfo(3).
     *
     * @param host a name or numeric form; null for the wildcard address (AI_PASSIVE) or loopback
     * @param service a service name or decimal port; null for port 0
     * @throws GaiError with the EAI_ number; EAI_AGAIN also when the timeout passed
     */
    public List<AddrInfo> getaddrinfo(
            @Nullable String host, @Nullable String service, int family, int type, int proto, int flags) {
        String name = host == null ? null : toAscii(host);
        rejectNul(service);
        Libc.Resolved resolved;
        if (service == null || isDecimal(service)) {
            resolved =
                    Libc.getaddrinfo(name, service, family, type, proto, name == null ? flags : flags | AI_NUMERICHOST);
            if (resolved.error() == GaiError.EAI_NONAME && name != null && (flags & AI_NUMERICHOST) == 0) {
                resolved = lookUp(
                        () -> Libc.getaddrinfo(name, service, family, type, proto, flags), Libc.Resolved::error, name);
            }
        } else {
            resolved = lookUp(
                    () -> Libc.getaddrinfo(name, service, family, type, proto, flags), Libc.Resolved::error, service);
        }
        if (resolved.error() != 0) {
            throw new GaiError(
                    resolved.error(), Errno.of(resolved.errno()), name == null ? String.valueOf(service) : host(name));
        }
        return resolved.infos().stream()
                .map(info -> new AddrInfo(info.family(), info.type(), info.proto(), info.canonname(), info.address()))
                .toList();
    }

    /**
     * The addresses that an endpoint stands for on a socket of a family, in the library's order, at least one.
     *
     * @throws GaiError where the host does not resolve in that family
     * @throws IllegalArgumentException where the endpoint does not fit the family
     */
    public List<SockAddr> addresses(Endpoint endpoint, int family, int type) {
        if (family == AF_UNIX) {
            if (endpoint.path() == null) {
                throw new IllegalArgumentException("an AF_UNIX address is {path}");
            }
            return List.of(new SockAddr.Unix(endpoint.path()));
        }
        String host = endpoint.host();
        if (host == null) {
            throw new IllegalArgumentException("an AF_INET or AF_INET6 address is {host, port}");
        }
        if (family == AF_INET && host.equals("<broadcast>")) {
            return List.of(new SockAddr.Inet4(-1, endpoint.port()));
        }
        rejectNul(host);
        // What most callers give; the library would say the same, for ten times the cost.
        byte[] quad = family == AF_INET6 ? null : InetText.pton(AF_INET, host);
        if (quad != null) {
            return List.of(new SockAddr.Inet4(ByteBuffer.wrap(quad).getInt(), endpoint.port()));
        }
        String service = Integer.toString(endpoint.port());
        List<AddrInfo> infos = host.isEmpty()
                ? getaddrinfo(null, service, family, type, 0, AI_PASSIVE)
                : getaddrinfo(host, service, family, type, 0, 0);
        return infos.stream()
                .map(AddrInfo::address)
                .map(address -> withScope(address, endpoint))
                .distinct()
                .toList();
    }

    /**
     * The host and service of an address; getnameinfo(3).
     *
     * @throws GaiError with the EAI_ number
     */
    public NameInfo getnameinfo(SockAddr address, int flags) {
        boolean numeric = (flags & NI_NUMERICHOST) != 0 && (flags & NI_NUMERICSERV) != 0;
        Supplier<Libc.Named> call = () -> Libc.getnameinfo(address, flags);
        Libc.Named named = numeric ? call.get() : lookUp(call, Libc.Named::error, InetText.host(address));
        if (named.error() != 0) {
            throw new GaiError(named.error(), Errno.of(named.errno()), InetText.host(address));
        }
        return new NameInfo(named.host(), named.service());
    }

    /** A host and a service, as names or numbers. */
    public record NameInfo(String host, String service) {}

    /** The port of a service, or -1; getservbyname(3). A null {@code proto} stands for any. */
    public int getservbyname(String name, @Nullable String proto) {
        rejectNul(name);
        rejectNul(proto);
        return lookUp(() -> Libc.getservbyname(name, proto), port -> 0, name);
    }

    /** The name of the service at a port, or null; getservbyport(3). */
    public @Nullable String getservbyport(int port, @Nullable String proto) {
        rejectNul(proto);
        return lookUp(() -> new Found(Libc.getservbyport(port, proto)), found -> 0, Integer.toString(port))
                .name();
    }

    private record Found(@Nullable String name) {}

    /** Whether the host is a numeric form of some family, which no name server is asked for. */
    public static boolean isNumeric(String host) {
        return host.indexOf('\0') < 0
                && Libc.getaddrinfo(host, null, 0, Constants.SOCK_STREAM, 0, AI_NUMERICHOST)
                                .error()
                        == 0;
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }

    private <T> T lookUp(Supplier<T> call, ToIntFunction<T> error, String subject) {
        FutureTask<T> task = new FutureTask<>(call::get);
        long start = System.nanoTime();
        int outcome = GaiError.EAI_AGAIN;
        try {
            threads.execute(task);
            T result = task.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
            outcome = error.applyAsInt(result);
            return result;
        } catch (RejectedExecutionException | TimeoutException e) {
            // Not interrupted: libc would not notice, and the queue is bounded.
            task.cancel(false);
            throw new GaiError(GaiError.EAI_AGAIN, null, subject);
        } catch (InterruptedException e) {
            task.cancel(false);
            Thread.currentThread().interrupt();
            throw new GaiError(GaiError.EAI_AGAIN, null, subject);
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        } finally {
            lookUps.lookedUp(subject, Duration.ofNanos(System.nanoTime() - start), outcome);
        }
    }

    /** The address with the flow information and scope id that the endpoint gives, where it is of AF_INET6. */
    public static SockAddr withScope(SockAddr address, Endpoint endpoint) {
        if (address instanceof SockAddr.Inet6 inet && (endpoint.flowInfo() != 0 || endpoint.scopeId() != 0)) {
            int scopeId = endpoint.scopeId() == 0 ? inet.scopeId() : endpoint.scopeId();
            return new SockAddr.Inet6(inet.high(), inet.low(), inet.port(), endpoint.flowInfo(), scopeId);
        }
        return address;
    }

    /** Python encodes host names by IDNA 2003 as well. */
    private static String toAscii(String host) {
        rejectNul(host);
        if (host.chars().allMatch(c -> c < 0x80)) {
            return host;
        }
        try {
            return IDN.toASCII(host);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("\"" + host + "\" is no valid internationalised host name", e);
        }
    }

    private static void rejectNul(@Nullable String text) {
        if (text != null && text.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("embedded null character");
        }
    }

    private static String host(String name) {
        return name.length() <= 253 ? name : name.substring(0, 253) + "…";
    }

    private static boolean isDecimal(String service) {
        return !service.isEmpty() && service.chars().allMatch(c -> c >= '0' && c <= '9');
    }

    /** Whether the family is one whose endpoints are host and port. */
    public static boolean isInternet(int family) {
        return family == AF_INET || family == AF_INET6;
    }
}
