package io.socketproxy.tls;

import java.security.GeneralSecurityException;
import java.security.cert.CertPathValidatorException.BasicReason;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * Certificate revocation lists that the operator gives; RFC 5280 section 5. An authority of which there is none has revoked nothing.
 *
 * <p>Not the JDK's checker, which wants a list of every authority in the chain or else fetches it from where the certificate says, by a
 * connection that no policy has judged.
 */
record RevocationLists(List<X509CRL> lists) {
    static final RevocationLists NONE = new RevocationLists(List.of());

    RevocationLists {
        lists = List.copyOf(lists);
    }

    /**
     * Looks for each of the peer's certificates in its issuer's lists.
     *
     * @param trusted authorities, of which one may have issued the last of the chain
     * @throws PeerRejected where one is revoked
     */
    void check(X509Certificate[] chain, X509Certificate[] trusted) throws PeerRejected {
        if (lists.isEmpty()) {
            return;
        }
        for (X509Certificate certificate : chain) {
            for (X509CRL list : lists) {
                if (list.isRevoked(certificate) && isIssuedBy(list, certificate, chain, trusted)) {
                    throw PeerRejected.telling(
                            TlsReason.REVOKED,
                            Judgement.name(certificate) + " has been revoked by its issuer",
                            BasicReason.REVOKED);
                }
            }
        }
    }

    /** Whether the certificate's issuer has made the list, and not another authority of the same name. */
    private static boolean isIssuedBy(
            X509CRL list, X509Certificate certificate, X509Certificate[] chain, X509Certificate[] trusted) {
        return Stream.concat(Arrays.stream(chain), Arrays.stream(trusted))
                .filter(issuer -> issuer.getSubjectX500Principal().equals(certificate.getIssuerX500Principal()))
                .anyMatch(issuer -> hasSigned(issuer, certificate, list));
    }

    private static boolean hasSigned(X509Certificate issuer, X509Certificate certificate, X509CRL list) {
        try {
            list.verify(issuer.getPublicKey());
            return Judgement.hasSigned(issuer, certificate);
        } catch (GeneralSecurityException e) {
            return false;
        }
    }
}
