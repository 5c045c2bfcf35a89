package io.socketproxy.tls;

import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;

/**
 * A certificate's subject alternative names; RFC 5280 section 4.2.1.6.
 *
 * @param hosts its dNSNames
 * @param addresses its iPAddresses, as text
 * @param all these and those of other kinds that have a text
 */
public record SubjectNames(List<String> hosts, List<String> addresses, List<String> all) {
    private static final int RFC822_NAME = 1;
    private static final int DNS_NAME = 2;
    private static final int DIRECTORY_NAME = 4;
    private static final int URI = 6;
    private static final int IP_ADDRESS = 7;

    /** Those of a certificate; none where they cannot be read. */
    static SubjectNames of(X509Certificate certificate) {
        List<String> hosts = new ArrayList<>();
        List<String> addresses = new ArrayList<>();
        List<String> all = new ArrayList<>();
        for (List<?> name : alternativeNames(certificate)) {
            if (name.get(0) instanceof Integer kind && name.get(1) instanceof String text) {
                switch (kind) {
                    case DNS_NAME -> hosts.add(text);
                    case IP_ADDRESS -> addresses.add(text);
                    case RFC822_NAME, DIRECTORY_NAME, URI -> {}
                    default -> {
                        continue;
                    }
                }
                all.add(text);
            }
        }
        return new SubjectNames(hosts, addresses, all);
    }

    /** All, as {@link X509Certificate#getSubjectAlternativeNames} has them; none where they cannot be read. */
    public static Collection<List<?>> alternativeNames(X509Certificate certificate) {
        try {
            Collection<List<?>> names = certificate.getSubjectAlternativeNames();
            return names == null ? List.of() : names;
        } catch (CertificateParsingException e) {
            return List.of();
        }
    }

    /** Whether nobody is named whom a connection can reach. */
    boolean isEmpty() {
        return hosts.isEmpty() && addresses.isEmpty();
    }

    /** Whether one of them is this name or address; RFC 9525 section 6. */
    boolean match(ServerName server) {
        byte[] address = server.address();
        return address == null
                ? hosts.stream().anyMatch(host -> matches(host, server.text()))
                : addresses.stream().anyMatch(text -> server.isAddress(text));
    }

    /** A wildcard stands for one label, the leftmost and all of it, and never for what is right below the top. */
    private static boolean matches(String presented, String name) {
        String host = presented.toLowerCase(Locale.ROOT);
        if (host.startsWith("*.")) {
            int dot = name.indexOf('.');
            return dot > 0
                    && host.indexOf('.', 2) > 0
                    && host.indexOf('*', 1) < 0
                    && host.substring(1).equals(name.substring(dot));
        }
        return host.indexOf('*') < 0 && host.equals(name);
    }
}
