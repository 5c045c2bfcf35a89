package io.socketproxy.rest;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.rest.Api.Answer;
import io.socketproxy.testing.Certificates;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.security.KeyStore;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** TLS to peers that are not to be trusted, or do not keep to it: each has its reason. */
class BadTlsPeersIT extends TlsCalls {
    @ParameterizedTest
    @CsvSource({
        "expired,  expired",
        "future,   not-yet-valid",
        "name,     name-mismatch",
        "cn-only,  no-subject-alternative-name",
        "stranger, unknown-ca",
        "self,     self-signed",
        "revoked,  revoked",
    })
    void aBadCertificateIsRefused(String certificate, String reason) throws Exception {
        fails(serving(certificate), "", reason);
    }

    @Test
    void theRefusedOnesAreTakenWithoutVerifying() throws Exception {
        String socket = secured(serving("expired"), "'verify': false");
        say(socket, "abc\n");
        assertThat(line(socket)).isEqualTo("cba\n");
    }

    @Test
    void aStrangerIsTakenWithItsAuthority() throws Exception {
        String socket = secured(serving("stranger"), "'ca': '" + pem("other.pem") + "'");
        say(socket, "abc\n");
        assertThat(line(socket)).isEqualTo("cba\n");
    }

    @Test
    void noProtocolInCommon() throws Exception {
        fails(serving("good", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"), "", "no-common-protocol");
    }

    @Test
    void noCipherInCommon() throws Exception {
        fails(serving("good", "-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"), "", "no-common-cipher");
    }

    @Test
    void noApplicationProtocolInCommon() throws Exception {
        Answer answer = fails(serving("good", "-alpn", "imap"), "'alpn': ['h2']", "no-common-alpn");
        assertThat(answer.string("tlsAlert")).isEqualTo("no_application_protocol");
    }

    @Test
    void aPeerThatWantsACertificate() throws Exception {
        int tls12 = serving("good", "-tls1_2", "-Verify", "1", "-CAfile", "ca.pem", "-verify_return_error");
        Answer answer = fails(tls12, "", "alert");
        assertThat(answer.string("tlsAlert")).isEqualTo("handshake_failure");
    }

    @Test
    void silence() throws Exception {
        int silent = serving(connection -> connection.getInputStream().readAllBytes());
        fails(silent, "'timeoutMs': 300", "timeout");
    }

    @Test
    void garbage() throws Exception {
        int garbage = serving(connection -> {
            connection.getInputStream().read();
            connection.getOutputStream().write("HTTP/1.1 400 Bad Request\r\n\r\n".getBytes(StandardCharsets.UTF_8));
            connection.getInputStream().readAllBytes();
        });
        fails(garbage, "", "not-tls");
    }

    @Test
    void anEarlyFin() throws Exception {
        int early = serving(connection -> connection.getInputStream().readNBytes(100));
        String socket = connected(early);
        Answer answer = api.post(socket + "/starttls", "{}").problem(502, "EPROTO");
        // What was not read makes the kernel reset.
        assertThat(answer.string("tlsReason")).isIn("closed", "reset");
    }

    @Test
    void finInTheHandshake() throws Exception {
        int ending = serving(connection -> {
            readHello(connection);
            connection.shutdownOutput();
            connection.getInputStream().readAllBytes();
        });
        fails(ending, "", "closed");
    }

    @Test
    void aResetInTheHandshake() throws Exception {
        int resetting = serving(connection -> {
            readHello(connection);
            connection.setSoLinger(true, 0);
        });
        fails(resetting, "", "reset");
    }

    /** The record of ClientHello, RFC 8446 section 5.1. */
    private static void readHello(Socket connection) throws Exception {
        InputStream in = connection.getInputStream();
        byte[] header = in.readNBytes(5);
        in.readNBytes((header[3] & 0xff) << 8 | header[4] & 0xff);
    }

    @ParameterizedTest
    @CsvSource({"TLSv1.2", "TLSv1.3"})
    void finWithoutCloseNotifyIsTruncation(String protocol) throws Exception {
        SSLContext context = context();
        int truncating = serving(connection -> {
            SSLSocket tls = server(context, connection, protocol);
            tls.getInputStream().read();
            tls.getOutputStream().write("half of it".getBytes(StandardCharsets.UTF_8));
            connection.shutdownOutput();
            connection.getInputStream().readAllBytes();
        });
        String socket = secured(truncating, "");
        say(socket, "?");

        assertThat(api.post(socket + "/recv?flags=MSG_WAITALL&bufsize=10").text())
                .isEqualTo("half of it");
        assertThat(api.post(socket + "/recv").problem(502, "EPROTO").string("tlsReason"))
                .isEqualTo("truncated");
    }

    @Test
    void renegotiationIsRefused() throws Exception {
        int renegotiating = serving("good", "-tls1_2", "-www");
        String socket = secured(renegotiating, "");
        say(socket, "GET /reneg HTTP/1.0\r\n\r\n");
        Answer answer = api.post(socket + "/recv?timeoutMs=5000").problem(502, "EPROTO");
        assertThat(answer.string("tlsReason")).isEqualTo("renegotiation");
    }

    @Test
    void whatCameInClearAndWasNotReadIsInjection() throws Exception {
        int injecting = serving(connection -> {
            connection.getInputStream().read();
            connection.getOutputStream().write("220 go ahead\r\n250 injected\r\n".getBytes(StandardCharsets.UTF_8));
            connection.getInputStream().readAllBytes();
        });
        String socket = connected(injecting);
        say(socket, "STARTTLS\r\n");
        assertThat(line(socket)).isEqualTo("220 go ahead\r\n");

        Answer answer = api.post(socket + "/starttls", "{}").problem(409, "EPROTO");
        assertThat(answer.string("tlsReason")).isEqualTo("starttls-injection");
        api.get(socket).problem(404, "EBADF");
    }

    @Test
    void twiceIsOnceTooOften() throws Exception {
        String socket = secured(serving("good"), "");
        api.post(socket + "/starttls", "{}").problem(409, "EALREADY");
        say(socket, "abc\n");
        assertThat(line(socket)).isEqualTo("cba\n");
    }

    @Test
    void whatMakesNoSenseChangesNothing() throws Exception {
        String socket = connected(serving("good"));
        api.post(socket + "/starttls", "{'serverName': 'a b'}").problem(400, "EINVAL", "serverName");
        api.post(socket + "/starttls", "{'ca': 'x'}").problem(400, "EINVAL", "ca");
        api.post(socket + "/starttls", "{'alpn': [null]}").problem(400, "EINVAL", "alpn[0]");
        api.post(socket + "/starttls", "{'alpn': 'h2'}").problem(400, "EINVAL", "alpn");
        api.post(socket + "/starttls", "{'key': 'x'}").problem(400, "EINVAL", "certificate");
        api.post(socket + "/starttls", "{}").expect(200);
        api.post(api.tcp() + "/starttls", "{}").problem(409, "ENOTCONN");
    }

    static SSLContext context() throws Exception {
        Certificates certificates = made;
        certificates.openssl("pkcs12 -export -in good.pem -inkey good.key -passout pass:pass -out good.p12");
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(certificates.file("good.p12"))) {
            store.load(in, "pass".toCharArray());
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(store, "pass".toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), null, null);
        return context;
    }

    /** The server's side of TLS on a connection, which stays open when that ends. */
    static SSLSocket server(SSLContext context, Socket connection, String protocol) throws Exception {
        SSLSocket tls = (SSLSocket) context.getSocketFactory().createSocket(connection, "", 0, false);
        tls.setUseClientMode(false);
        tls.setEnabledProtocols(new String[] {protocol});
        tls.startHandshake();
        return tls;
    }
}
