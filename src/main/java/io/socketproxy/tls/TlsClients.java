package io.socketproxy.tls;

import io.socketproxy.fault.SocketFault;
import java.security.NoSuchAlgorithmException;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import org.jspecify.annotations.Nullable;

/** Makes the client's side of TLS connections to targets. */
public final class TlsClients {
    /**
     * An engine in client mode, whose handshake has not begun.
     *
     * @param host the name or address that was connected to; null where nobody knows one
     * @throws SocketFault EINVAL for what makes no sense; EACCES for what needs the operator's leave
     */
    public SSLEngine engine(TlsRequest request, @Nullable String host, int port) {
        try {
            String name = request.serverName() == null ? host : request.serverName();
            SSLEngine engine = SSLContext.getDefault().createSSLEngine(name, port);
            engine.setUseClientMode(true);
            SSLParameters parameters = engine.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            parameters.setApplicationProtocols(request.alpn().toArray(String[]::new));
            engine.setSSLParameters(parameters);
            return engine;
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** What an engine threw, in terms of the reasons. */
    public TlsFailure failure(Throwable thrown) {
        return new TlsFailure("protocol-error", null, "TLS failed: " + thrown.getMessage() + ".");
    }

    /** What the engine, whose handshake is done, has agreed on. */
    public TlsSession session(SSLEngine engine, TlsRequest request, @Nullable String host) {
        javax.net.ssl.SSLSession agreed = engine.getSession();
        return new TlsSession(
                agreed.getProtocol(),
                agreed.getCipherSuite(),
                engine.getApplicationProtocol(),
                host,
                java.util.List.of());
    }
}
