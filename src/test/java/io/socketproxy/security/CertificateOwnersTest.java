package io.socketproxy.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.ssl.DefaultSslBundleRegistry;
import org.springframework.boot.ssl.SslBundle;
import org.springframework.boot.ssl.SslStoreBundle;
import org.springframework.boot.web.server.Ssl;
import org.springframework.boot.web.server.Ssl.ClientAuth;
import org.springframework.mock.web.MockHttpServletRequest;

/** What is configured of certificates, and which pages they speak for. */
class CertificateOwnersTest {

    private static SecuritySettings.Certificate entry(
            @Nullable String owner, @Nullable String subject, @Nullable String name) {
        return new SecuritySettings.Certificate(owner, subject, name);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "        | CN=a         |              | [0].owner: nothing is not an owner's name",
                "far:m   | CN=a         |              | [0].owner: \"far:m\" is not an owner's name",
                "farm    |              |              | [0] needs a subject or an alternative-name",
                "farm    | ' '          |              | [0] needs a subject or an alternative-name",
                "farm    | CN=a         | DNS:a        | [0] needs a subject or an alternative-name",
                "farm    | a            |              | [0].subject: \"a\" is not a distinguished name",
                "farm    | /CN=a        |              | [0].subject: \"/CN=a\" is not a distinguished name",
                "farm    |              | a.example    | [0].alternative-name: \"a.example\" is not",
                "farm    |              | DNS:         | [0].alternative-name: \"DNS:\" is not",
                "farm    |              | IP:127.0.0.1 | [0].alternative-name: \"IP:127.0.0.1\" is not",
            })
    void whatCannotBeMeantStopsTheStart(String owner, String subject, String name, String problem) {
        assertThatThrownBy(() -> new CertificateOwners(List.of(entry(owner, subject, name))))
                .isInstanceOf(InvalidSecuritySettings.class)
                .hasMessageStartingWith("socket-proxy.security.certificates")
                .hasMessageContaining(problem);
    }

    @Test
    void aCertificateIsOneOwnersAndAnOwnerMayHaveSeveral() {
        assertThat(new CertificateOwners(List.of()).isEmpty()).isTrue();
        assertThat(new CertificateOwners(List.of(
                                entry("farm", "CN=a,O=Example", null),
                                entry("farm", "CN=b,O=Example", null),
                                entry("farm", null, "URI:spiffe://example/a")))
                        .isEmpty())
                .isFalse();
        assertThatThrownBy(() -> new CertificateOwners(
                        List.of(entry("farm", "CN=a,O=Example", null), entry("other", "cn=A, o=example", null))))
                .isInstanceOf(InvalidSecuritySettings.class)
                .hasMessageContaining("certificates[1]: the same certificate is configured more than once");
        assertThatThrownBy(() -> new CertificateOwners(
                        List.of(entry("farm", null, "DNS:a.example"), entry("other", null, "DNS:A.example"))))
                .isInstanceOf(InvalidSecuritySettings.class)
                .hasMessageContaining("more than once");
    }

    @Test
    void theServerHasToAskForCertificatesOfAnAuthority() {
        Ssl ssl = Ssl.forBundle("server");
        DefaultSslBundleRegistry bundles =
                new DefaultSslBundleRegistry("server", SslBundle.of(SslStoreBundle.of(null, null, null)));

        assertThatThrownBy(() -> ClientAuthentication.require(null, bundles))
                .hasMessageContaining("asks for no certificates");
        assertThatThrownBy(() -> ClientAuthentication.require(ssl, bundles))
                .hasMessageContaining("asks for no certificates");
        ssl.setClientAuth(ClientAuth.WANT);
        assertThatThrownBy(() -> ClientAuthentication.require(ssl, bundles))
                .isInstanceOf(InvalidSecuritySettings.class)
                .hasMessageContaining("no authority");
    }

    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            delimiter = '|',
            value = {
                "-                           | -           | true",
                "-                           | none        | true",
                "-                           | same-origin | true",
                "-                           | same-site   | false",
                "-                           | cross-site  | false",
                "https://proxy.example:8443  | same-origin | true",
                "https://PROXY.example:8443  | -           | true",
                "https://pages.example       | cross-site  | true",
                "http://proxy.example:8443   | -           | false",
                "https://proxy.example       | -           | false",
                "https://other.example       | -           | false",
                "null                        | -           | false",
            })
    void aCertificateSpeaksForPagesOfTheServersOwnAndOfThoseThatAreNamed(
            @Nullable String origin, @Nullable String site, boolean allowed) {
        MockHttpServletRequest request = new MockHttpServletRequest("GET", "/api/v1/sockets");
        request.addHeader("Host", "proxy.example:8443");
        if (origin != null) {
            request.addHeader("Origin", origin);
        }
        if (site != null) {
            request.addHeader("Sec-Fetch-Site", site);
        }
        // Any page may use a token that it has got; but not whatever its visitor's browser has.
        Origins origins = Origins.configured(List.of("*", "https://pages.example"));

        assertThat(origins.allowed(request)).isTrue();
        assertThat(origins.allowedByCertificate(request)).isEqualTo(allowed);
    }

    @Test
    void twoOriginsAreNone() {
        MockHttpServletRequest request = new MockHttpServletRequest("GET", "/api/v1/sockets");
        request.addHeader("Host", "proxy.example");
        request.addHeader("Origin", "https://proxy.example");
        request.addHeader("Origin", "https://proxy.example");

        assertThat(Origins.configured(List.of()).allowedByCertificate(request)).isFalse();
    }
}
