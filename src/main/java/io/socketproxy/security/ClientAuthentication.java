package io.socketproxy.security;

import org.jspecify.annotations.Nullable;
import org.springframework.boot.ssl.SslBundles;
import org.springframework.boot.web.server.Ssl;
import org.springframework.boot.web.server.Ssl.ClientAuth;
import org.springframework.boot.web.server.WebServerSslBundle;

/** What has to be so for clients' certificates to mean anything. */
final class ClientAuthentication {

    private ClientAuthentication() {}

    /**
     * The server asks for certificates, and of whom they may be.
     *
     * @throws InvalidSecuritySettings if it does not ask, or would take those of every public authority, which give names to everybody
     */
    static void require(@Nullable Ssl ssl, SslBundles bundles) {
        if (!Ssl.isEnabled(ssl) || ssl.getClientAuth() == null || ssl.getClientAuth() == ClientAuth.NONE) {
            throw new InvalidSecuritySettings(
                    CertificateOwners.PROPERTY + " is set, and the server asks for no certificates.",
                    "Set server.ssl.client-auth to want, or to need where nobody gets in without one.");
        }
        if (WebServerSslBundle.get(ssl, bundles).getStores().getTrustStore() == null) {
            throw new InvalidSecuritySettings(
                    CertificateOwners.PROPERTY + " is set, and no authority whose certificates clients may have.",
                    "Set spring.ssl.bundle.pem.<name>.truststore.certificate to your authority's certificate, of the bundle that"
                            + " server.ssl.bundle names.");
        }
    }
}
