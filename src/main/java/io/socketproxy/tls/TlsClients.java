package io.socketproxy.tls;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Errno;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.WeakHashMap;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/**
 * Makes the client's side of TLS connections to targets.
 *
 * <p>A session is resumed by whoever asks for the same name and port and has no wish of its own: what {@code verify}, {@code ca} or
 * {@code certificate} asks for has a context to itself. All methods may be called concurrently; {@link #engine} may take a tenth of a second,
 * so it is not for an event loop.
 */
public final class TlsClients implements AutoCloseable {
    private static final String[] PROTOCOLS = {"TLSv1.3", "TLSv1.2"};
    private static final int MAX_PROTOCOLS = 32;
    private static final int MAX_PROTOCOL_LENGTH = 255;

    private final TlsProperties properties;
    private final Trust trust;

    /** Those whose peer has shown certificates, and so has agreed on a cipher suite. */
    private final Set<SSLEngine> answered = Collections.newSetFromMap(Collections.synchronizedMap(new WeakHashMap<>()));

    /** Stops the start-up where a file of the settings cannot be read or is wrong. */
    public TlsClients(TlsProperties properties) {
        this.properties = properties;
        this.trust = new Trust(properties, answered::add);
    }

    /** How long a handshake may take, whatever its caller would wait. */
    public Duration handshakeTimeout() {
        return properties.handshakeTimeout();
    }

    /**
     * An engine in client mode, whose handshake has not begun.
     *
     * @param host the name or address that was connected to; null where nobody knows one
     * @throws SocketFault EINVAL for what makes no sense; EACCES for what needs the operator's leave
     */
    public SSLEngine engine(TlsRequest request, @Nullable String host, int port) {
        requireLeave(request);
        requireProtocols(request.alpn());
        ServerName server = serverName(request, host);
        if (server == null && request.verify()) {
            throw SocketFault.invalid(
                    "serverName", "serverName is missing, and this socket was connected without a name. Give it.");
        }
        try {
            SSLContext context = context(request);
            SSLEngine engine =
                    server == null ? context.createSSLEngine() : context.createSSLEngine(server.text(), port);
            engine.setUseClientMode(true);
            SSLParameters parameters = engine.getSSLParameters();
            parameters.setProtocols(PROTOCOLS);
            parameters.setApplicationProtocols(request.alpn().toArray(String[]::new));
            // As bytes, since it takes fewer characters as text. RFC 6066 section 3: no addresses.
            parameters.setServerNames(
                    server == null || server.address() != null
                            ? List.of()
                            : List.of(new SNIHostName(server.text().getBytes(UTF_8))));
            engine.setSSLParameters(parameters);
            return engine;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private void requireLeave(TlsRequest request) {
        if (!request.verify() && !properties.allowInsecure()) {
            throw SocketFault.argument(
                    Errno.EACCES,
                    "verify",
                    "TLS to a peer that is not verified needs the operator's leave, and socket-proxy.tls.allow-insecure is off."
                            + " Leave verify out, or ask the operator.");
        }
        if (request.ca() != null && !properties.allowOwnAuthorities()) {
            throw SocketFault.argument(
                    Errno.EACCES,
                    "ca",
                    "Authorities of your own need the operator's leave, and socket-proxy.tls.allow-own-authorities is off."
                            + " Leave ca out, or ask the operator to add it to socket-proxy.tls.trust.");
        }
        if (request.ca() != null && !request.verify()) {
            throw SocketFault.invalid(
                    "ca", "ca is for verifying the peer, which verify: false turns off. Leave one out.");
        }
    }

    private static void requireProtocols(List<String> alpn) {
        boolean fit = alpn.size() <= MAX_PROTOCOLS
                && alpn.stream()
                        .allMatch(protocol -> !protocol.isEmpty()
                                && protocol.length() <= MAX_PROTOCOL_LENGTH
                                && protocol.chars().allMatch(c -> c <= 0xff));
        if (!fit) {
            throw SocketFault.invalid(
                    "alpn",
                    "alpn must be up to " + MAX_PROTOCOLS + " names of protocols of 1 to " + MAX_PROTOCOL_LENGTH
                            + " bytes, as h2 or http/1.1 are.");
        }
    }

    private static @Nullable ServerName serverName(TlsRequest request, @Nullable String host) {
        String name = request.serverName() == null ? host : request.serverName();
        return name == null ? null : ServerName.of(name);
    }

    private SSLContext context(TlsRequest request) throws GeneralSecurityException {
        ClientIdentity identity = identity(request);
        String ca = request.ca();
        return ca == null && identity == null && request.verify()
                ? trust.usual()
                : trust.own(ca == null ? null : Pem.certificates("ca", ca), request.verify(), identity);
    }

    private static @Nullable ClientIdentity identity(TlsRequest request) {
        if (request.certificate() == null && request.key() == null) {
            return null;
        }
        String certificate = required("certificate", request.certificate(), "key");
        String key = required("key", request.key(), "certificate");
        List<X509Certificate> chain = Pem.certificates("certificate", certificate);
        PrivateKey itsKey = Pem.key(key, chain.getFirst());
        return new ClientIdentity(chain, itsKey);
    }

    private static String required(String field, @Nullable String value, String other) {
        if (value == null) {
            throw SocketFault.invalid(field, field + " is missing, which " + other + " needs. Give both, or neither.");
        }
        return value;
    }

    /** What an engine threw, or what ended its connection, in terms of the reasons. */
    public TlsFailure failure(Throwable thrown, SSLEngine engine) {
        return Failures.of(thrown, answered.contains(engine));
    }

    /** As the other, where nothing is known of the engine. */
    public TlsFailure failure(Throwable thrown) {
        return Failures.of(thrown, false);
    }

    /** What the engine, whose handshake is done, has agreed on. */
    public TlsSession session(SSLEngine engine, TlsRequest request, @Nullable String host) {
        SSLSession agreed = engine.getSession();
        ServerName server = serverName(request, host);
        String alpn = engine.getApplicationProtocol();
        return new TlsSession(
                agreed.getProtocol(),
                agreed.getCipherSuite(),
                alpn == null || alpn.isEmpty() ? null : alpn,
                server == null ? null : server.text(),
                peerCertificates(agreed));
    }

    private static List<X509Certificate> peerCertificates(SSLSession agreed) {
        try {
            Certificate[] certificates = agreed.getPeerCertificates();
            return Arrays.stream(certificates).map(X509Certificate.class::cast).toList();
        } catch (SSLPeerUnverifiedException e) {
            return List.of();
        }
    }

    @Override
    public void close() {
        trust.close();
    }
}
