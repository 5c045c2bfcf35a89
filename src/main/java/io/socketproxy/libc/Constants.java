package io.socketproxy.libc;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;

/** The socket interface's named constants with the numbers that this kernel and C library give them. */
public final class Constants {
    private static final Map<String, Long> ALL = load();

    /** Family prefix, then number, to name; of several names the first. */
    private static final Map<String, Map<Long, String>> NAMES = index();

    public static final int AF_UNSPEC = require("AF_UNSPEC");
    public static final int AF_UNIX = require("AF_UNIX");
    public static final int AF_INET = require("AF_INET");
    public static final int AF_INET6 = require("AF_INET6");

    public static final int SOCK_STREAM = require("SOCK_STREAM");
    public static final int SOCK_DGRAM = require("SOCK_DGRAM");

    public static final int IPPROTO_IP = require("IPPROTO_IP");
    public static final int IPPROTO_TCP = require("IPPROTO_TCP");
    public static final int IPPROTO_UDP = require("IPPROTO_UDP");
    public static final int IPPROTO_IPV6 = require("IPPROTO_IPV6");

    public static final int SOL_SOCKET = require("SOL_SOCKET");
    public static final int SO_REUSEADDR = require("SO_REUSEADDR");
    public static final int SO_REUSEPORT = require("SO_REUSEPORT");
    public static final int SO_TYPE = require("SO_TYPE");
    public static final int SO_ERROR = require("SO_ERROR");
    public static final int SO_SNDBUF = require("SO_SNDBUF");
    public static final int SO_LINGER = require("SO_LINGER");
    public static final int SO_ACCEPTCONN = require("SO_ACCEPTCONN");
    public static final int SO_PROTOCOL = require("SO_PROTOCOL");
    public static final int SO_DOMAIN = require("SO_DOMAIN");
    public static final int TCP_INFO = require("TCP_INFO");
    public static final int IPV6_V6ONLY = require("IPV6_V6ONLY");

    public static final int MSG_OOB = require("MSG_OOB");
    public static final int MSG_PEEK = require("MSG_PEEK");
    public static final int MSG_DONTROUTE = require("MSG_DONTROUTE");
    public static final int MSG_CTRUNC = require("MSG_CTRUNC");
    public static final int MSG_TRUNC = require("MSG_TRUNC");
    public static final int MSG_DONTWAIT = require("MSG_DONTWAIT");
    public static final int MSG_EOR = require("MSG_EOR");
    public static final int MSG_WAITALL = require("MSG_WAITALL");
    public static final int MSG_CONFIRM = require("MSG_CONFIRM");
    public static final int MSG_NOSIGNAL = require("MSG_NOSIGNAL");
    public static final int MSG_MORE = require("MSG_MORE");
    public static final int MSG_CMSG_CLOEXEC = require("MSG_CMSG_CLOEXEC");

    public static final int SHUT_RD = require("SHUT_RD");
    public static final int SHUT_WR = require("SHUT_WR");
    public static final int SHUT_RDWR = require("SHUT_RDWR");

    public static final int POLLIN = require("POLLIN");
    public static final int POLLPRI = require("POLLPRI");
    public static final int POLLOUT = require("POLLOUT");
    public static final int POLLERR = require("POLLERR");
    public static final int POLLHUP = require("POLLHUP");
    public static final int POLLNVAL = require("POLLNVAL");
    public static final int POLLRDHUP = require("POLLRDHUP");

    private Constants() {}

    /** Every constant by name, in the order of the families: AF_, SOCK_, IPPROTO_, SOL_, SO_, TCP_ and so on. */
    public static Map<String, Long> all() {
        return ALL;
    }

    /** The number of a name; empty for a name that is not a socket constant. */
    public static OptionalLong find(String name) {
        Long number = ALL.get(name);
        return number == null ? OptionalLong.empty() : OptionalLong.of(number);
    }

    /** The number of a name that is known to exist. */
    public static int require(String name) {
        return Math.toIntExact(Objects.requireNonNull(ALL.get(name), name));
    }

    /** The first name of a family such as {@code "AF_"} that has the number. */
    public static Optional<String> nameOf(String prefix, long number) {
        return Optional.ofNullable(NAMES.getOrDefault(prefix, Map.of()).get(number));
    }

    private static Map<String, Map<Long, String>> index() {
        Map<String, Map<Long, String>> names = new HashMap<>();
        ALL.forEach((name, number) -> names.computeIfAbsent(
                        name.substring(0, name.indexOf('_') + 1), prefix -> new HashMap<>())
                .putIfAbsent(number, name));
        return names;
    }

    private static Map<String, Long> load() {
        Map<String, Long> constants = new LinkedHashMap<>();
        try (InputStream in = Objects.requireNonNull(Constants.class.getResourceAsStream("constants.txt"));
                BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.US_ASCII))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.isBlank() || line.startsWith("#")) {
                    continue;
                }
                int space = line.indexOf(' ');
                constants.put(line.substring(0, space), Long.parseLong(line.substring(space + 1)));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return Collections.unmodifiableMap(constants);
    }
}
