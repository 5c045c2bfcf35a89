package io.socketproxy.security;

import io.socketproxy.tls.SubjectNames;
import java.security.cert.X509Certificate;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import javax.security.auth.x500.X500Principal;
import org.jspecify.annotations.Nullable;

/**
 * The owners for whom clients' certificates speak, which TLS has verified: by their subject, or else by a subject alternative name, RFC 5280
 * section 4.2.1.6.
 *
 * <p>All methods may be called concurrently.
 */
final class CertificateOwners {

    static final String PROPERTY = "socket-proxy.security.certificates";

    /** The kinds of alternative names by their number in RFC 5280, and what they are called before the colon, as openssl does. */
    private static final Map<Integer, String> KINDS = Map.of(1, "email", 2, "DNS", 6, "URI");

    /** As Java compares them: neither case nor repeated spaces count. */
    private final Map<X500Principal, Owner> bySubject = new HashMap<>();

    private final Map<String, Owner> byName = new HashMap<>();

    /**
     * @throws InvalidSecuritySettings for an owner's name that breaks the syntax, an entry that does not say which certificate, or one that
     *     comes twice
     */
    CertificateOwners(List<SecuritySettings.Certificate> entries) {
        for (int i = 0; i < entries.size(); i++) {
            SecuritySettings.Certificate entry = entries.get(i);
            String property = PROPERTY + "[" + i + "]";
            Owner owner = ApiTokens.requireOwner(property + ".owner", entry.owner());
            String subject = stripped(entry.subject());
            String name = stripped(entry.alternativeName());
            if (subject.isEmpty() == name.isEmpty()) {
                throw new InvalidSecuritySettings(
                        property + " needs a subject or an alternative-name, and not both.",
                        "Give each certificate an entry of its own; an owner can have several.");
            }
            Owner other = name.isEmpty()
                    ? bySubject.put(requireSubject(property, subject), owner)
                    : byName.put(requireName(property, name), owner);
            if (other != null) {
                throw new InvalidSecuritySettings(
                        property + ": the same certificate is configured more than once.",
                        "Make each owner a certificate of its own.");
            }
        }
    }

    private static String stripped(@Nullable String text) {
        return text == null ? "" : text.strip();
    }

    private static X500Principal requireSubject(String property, String subject) {
        try {
            return new X500Principal(subject);
        } catch (IllegalArgumentException e) {
            throw new InvalidSecuritySettings(
                    "%s.subject: \"%s\" is not a distinguished name of RFC 2253.".formatted(property, subject),
                    "Write what  openssl x509 -noout -subject -nameopt RFC2253 -in client.pem  prints after subject=");
        }
    }

    private static String requireName(String property, String name) {
        String kind = name.substring(0, Math.max(0, name.indexOf(':')));
        if (!KINDS.containsValue(kind) || name.length() == kind.length() + 1) {
            throw new InvalidSecuritySettings(
                    "%s.alternative-name: \"%s\" is not a subject alternative name.".formatted(property, name),
                    "Write DNS:, URI: or email: and the name, as  openssl x509 -noout -ext subjectAltName -in client.pem  does.");
        }
        return normalized(kind, name.substring(kind.length() + 1));
    }

    /** Case counts in URIs and in the first half of an address of mail. */
    private static String normalized(String kind, String name) {
        return kind + ":" + (kind.equals("DNS") ? name.toLowerCase(Locale.ROOT) : name);
    }

    /** Whether there are any. */
    boolean isEmpty() {
        return bySubject.isEmpty() && byName.isEmpty();
    }

    /** The owner of a certificate; empty if it is nobody's here. */
    Optional<Owner> owner(X509Certificate certificate) {
        Owner owner = bySubject.get(certificate.getSubjectX500Principal());
        if (owner != null || byName.isEmpty()) {
            return Optional.ofNullable(owner);
        }
        return names(certificate).map(byName::get).filter(Objects::nonNull).findFirst();
    }

    private static Stream<String> names(X509Certificate certificate) {
        return SubjectNames.alternativeNames(certificate).stream().flatMap(name -> {
            String kind = KINDS.get((Integer) name.get(0));
            return kind == null ? Stream.empty() : Stream.of(normalized(kind, (String) name.get(1)));
        });
    }
}
