package io.socketproxy.address;

import static io.socketproxy.libc.Constants.AF_INET;
import static io.socketproxy.libc.Constants.AF_INET6;
import static io.socketproxy.libc.Constants.AF_UNIX;

import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.NetDb;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.overload.Budget;
import io.socketproxy.overload.Exhausted;
import java.net.IDN;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The C library's resolver, as Python's {@code socket} module presents it.
 *
 * <p>The library blocks while it asks name servers, so look-ups run on a few platform threads, on which owners take turns; the caller
 * (a virtual thread) waits for at most the timeout. What is in files has threads of its own, and numeric forms never leave the
 * caller's. All methods may be called concurrently.
 */
public final class Resolver implements AutoCloseable {
    private static final int AI_PASSIVE = Constants.require("AI_PASSIVE");
    private static final int AI_NUMERICHOST = Constants.require("AI_NUMERICHOST");
    private static final int NI_NUMERICHOST = Constants.require("NI_NUMERICHOST");
    private static final int NI_NUMERICSERV = Constants.require("NI_NUMERICSERV");

    /** The files that services are looked up in answer in microseconds. */
    private static final int LOCAL_THREADS = 2;

    /** RFC 1035 section 2.3.4, without the root. */
    private static final int MAX_NAME = 253;

    private static final Pattern DOTS = Pattern.compile("[.\u3002\uff0e\uff61]");

    private final Lanes lanes;
    private final Lanes local;
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
     * @param threadCount how many look-ups may be under way at once; of one owner a quarter
     * @param timeout how long a caller waits before EAI_AGAIN; the library's own attempt ends by its own limits
     * @param budget of look-ups that are under way or wait for their turn
     */
    public Resolver(int threadCount, Duration timeout, Budget budget, LookUps lookUps) {
        this.lookUps = lookUps;
        this.timeout = timeout;
        this.lanes = new Lanes(threadCount, "resolver-", budget);
        this.local = new Lanes(LOCAL_THREADS, "services-", budget);
    }

    /**
     * The addresses of a host and service, in the library's order; getaddrinfo(3).
     *
     * @param host a name or numeric form; null for the wildcard address (AI_PASSIVE) or loopback
     * @param service a service name or decimal port; null for port 0
     * @param owner for whom it is
     * @throws GaiError with the EAI_ number; EAI_AGAIN also when the timeout passed
     * @throws Exhausted where the owner's look-ups, or all, are too many
     */
    public List<AddrInfo> getaddrinfo(
            String owner, @Nullable String host, @Nullable String service, int family, int type, int proto, int flags) {
        String name = host == null ? null : toAscii(host);
        rejectNul(service);
        int numeric = name == null ? flags : flags | AI_NUMERICHOST;
        // A service's name is in a file, and must not wait for what is asked of name servers.
        NetDb.Resolved resolved = service == null || isDecimal(service)
                ? NetDb.getaddrinfo(name, service, family, type, proto, numeric)
                : lookUp(
                        local,
                        owner,
                        () -> NetDb.getaddrinfo(name, service, family, type, proto, numeric),
                        NetDb.Resolved::error,
                        service);
        if (resolved.error() == GaiError.EAI_NONAME && name != null && (flags & AI_NUMERICHOST) == 0) {
            resolved = lookUp(
                    lanes,
                    owner,
                    () -> NetDb.getaddrinfo(name, service, family, type, proto, flags),
                    NetDb.Resolved::error,
                    name);
        }
        if (resolved.error() != 0) {
            throw new GaiError(
                    resolved.error(),
                    Errno.of(resolved.errno()),
                    name != null ? host(name) : service == null ? "" : service);
        }
        return resolved.infos().stream()
                .map(info -> new AddrInfo(info.family(), info.type(), info.proto(), info.canonname(), info.address()))
                .toList();
    }

    /**
     * The addresses that an endpoint stands for on a socket of a family, in the library's order, at least one.
     *
     * @param owner for whom it is
     * @throws GaiError where the host does not resolve in that family
     * @throws Exhausted where the owner's look-ups, or all, are too many
     * @throws IllegalArgumentException where the endpoint does not fit the family
     */
    public List<SockAddr> addresses(String owner, Endpoint endpoint, int family, int type) {
        if (family == AF_UNIX) {
            if (endpoint.path() == null) {
                throw new IllegalArgumentException("An AF_UNIX address is {path}.");
            }
            return List.of(new SockAddr.Unix(endpoint.path()));
        }
        String host = endpoint.host();
        if (host == null) {
            throw new IllegalArgumentException("An AF_INET or AF_INET6 address is {host, port}.");
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
                ? getaddrinfo(owner, null, service, family, type, 0, AI_PASSIVE)
                : getaddrinfo(owner, host, service, family, type, 0, 0);
        return infos.stream()
                .map(AddrInfo::address)
                .map(address -> withScope(address, endpoint))
                .distinct()
                .toList();
    }

    /**
     * The host and service of an address; getnameinfo(3).
     *
     * @param owner for whom it is
     * @throws GaiError with the EAI_ number
     */
    public NameInfo getnameinfo(String owner, SockAddr address, int flags) {
        boolean numericHost = (flags & NI_NUMERICHOST) != 0;
        boolean numeric = numericHost && (flags & NI_NUMERICSERV) != 0;
        Supplier<NetDb.Named> call = () -> NetDb.getnameinfo(address, flags);
        NetDb.Named named = numeric
                ? call.get()
                : lookUp(numericHost ? local : lanes, owner, call, NetDb.Named::error, InetText.host(address));
        if (named.error() != 0) {
            throw new GaiError(named.error(), Errno.of(named.errno()), InetText.host(address));
        }
        return new NameInfo(named.host(), named.service());
    }

    /** A host and a service, as names or numbers. */
    public record NameInfo(String host, String service) {}

    /** The port of a service, or -1; getservbyname(3). A null {@code proto} stands for any. */
    public int getservbyname(String owner, String name, @Nullable String proto) {
        rejectNul(name);
        rejectNul(proto);
        return lookUp(local, owner, () -> NetDb.getservbyname(name, proto), port -> 0, name);
    }

    /** The name of the service at a port, or null; getservbyport(3). */
    public @Nullable String getservbyport(String owner, int port, @Nullable String proto) {
        rejectNul(proto);
        return lookUp(
                        local,
                        owner,
                        () -> new Found(NetDb.getservbyport(port, proto)),
                        found -> 0,
                        Integer.toString(port))
                .name();
    }

    private record Found(@Nullable String name) {}

    /** Whether the host is a numeric form of some family, which no name server is asked for. */
    public static boolean isNumeric(String host) {
        return host.indexOf('\0') < 0
                && NetDb.getaddrinfo(host, null, 0, Constants.SOCK_STREAM, 0, AI_NUMERICHOST)
                                .error()
                        == 0;
    }

    @Override
    public void close() {
        lanes.close();
        local.close();
    }

    private <T> T lookUp(Lanes by, String owner, Supplier<T> call, ToIntFunction<T> error, String subject) {
        FutureTask<T> task = new FutureTask<>(call::get);
        long start = System.nanoTime();
        int outcome = GaiError.EAI_AGAIN;
        try {
            by.submit(owner, task);
            T result = task.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
            outcome = error.applyAsInt(result);
            return result;
        } catch (RejectedExecutionException | TimeoutException e) {
            // Not interrupted: libc would not notice.
            by.cancel(owner, task);
            throw new GaiError(GaiError.EAI_AGAIN, null, subject);
        } catch (InterruptedException e) {
            by.cancel(owner, task);
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

    /** Python encodes host names by IDNA 2003 as well, and as in all queries lets code points pass that it does not know. */
    static String toAscii(String host) {
        rejectNul(host);
        if (host.chars().allMatch(c -> c < 0x80)) {
            return host;
        }
        // Before anything is made of it: what that takes grows with the square of the length.
        if (host.length() > MAX_NAME) {
            throw new IllegalArgumentException("A host name has at most " + MAX_NAME + " octets.");
        }
        String[] labels = DOTS.split(host, -1);
        for (int i = 0; i < labels.length; i++) {
            if (!labels[i].isEmpty()) {
                labels[i] = labelToAscii(labels[i], host);
            } else if (i < labels.length - 1) {
                throw invalidName(host);
            }
        }
        String name = String.join(".", labels);
        if (name.length() > MAX_NAME) {
            throw new IllegalArgumentException("A host name has at most " + MAX_NAME + " octets.");
        }
        return name;
    }

    private static String labelToAscii(String label, String host) {
        String ascii;
        try {
            ascii = IDN.toASCII(label, IDN.ALLOW_UNASSIGNED);
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            throw invalidName(host);
        }
        if (ascii.isEmpty()) {
            throw invalidName(host);
        }
        return ascii;
    }

    private static IllegalArgumentException invalidName(String host) {
        return new IllegalArgumentException("\"" + host + "\" is no valid internationalised host name.");
    }

    private static void rejectNul(@Nullable String text) {
        if (text != null && text.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("A name holds no NUL.");
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
