package io.socketproxy.tls;

import io.socketproxy.address.InetText;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Constants;
import java.net.IDN;
import java.util.Arrays;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The name, or the address, that a peer has to prove. */
final class ServerName {
    /** Underscores are in names of containers and services, though in none of a host (RFC 1123 section 2.1). */
    private static final Pattern NAME =
            Pattern.compile("(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\\.[a-z0-9_][a-z0-9_-]{0,62})*");

    private final String text;
    private final byte @Nullable [] address;

    private ServerName(String text, byte @Nullable [] address) {
        this.text = text;
        this.address = address;
    }

    /**
     * A name, in lower case and in ASCII (RFC 5890), or an address in any form that getaddrinfo takes.
     *
     * @throws SocketFault EINVAL of serverName for what is neither
     */
    static ServerName of(String given) {
        int zone = given.indexOf('%');
        byte[] inet6 = InetText.pton(Constants.AF_INET6, zone < 0 ? given : given.substring(0, zone));
        if (inet6 != null) {
            return new ServerName(InetText.ntop(Constants.AF_INET6, inet6), inet6);
        }
        String ascii = ascii(given);
        if (!NAME.matcher(ascii).matches()) {
            throw SocketFault.invalid(
                    "serverName",
                    "serverName must be a host name or an address. Give the name that the peer's certificate has.");
        }
        byte[] inet4 = InetText.aton(ascii);
        return inet4 == null ? new ServerName(ascii, null) : new ServerName(InetText.ntoa(inet4), inet4);
    }

    private static String ascii(String given) {
        String relative = given.endsWith(".") ? given.substring(0, given.length() - 1) : given;
        try {
            return IDN.toASCII(relative).toLowerCase(Locale.ROOT);
        } catch (IllegalArgumentException e) {
            return "";
        }
    }

    String text() {
        return text;
    }

    /** Four or sixteen bytes; null for a name. */
    byte @Nullable [] address() {
        return address;
    }

    /** Whether a text is the same address. */
    boolean isAddress(String other) {
        byte[] packed = InetText.pton(other.indexOf(':') < 0 ? Constants.AF_INET : Constants.AF_INET6, other);
        return Arrays.equals(packed, address);
    }
}
