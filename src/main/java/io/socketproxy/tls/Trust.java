package io.socketproxy.tls;

import io.socketproxy.files.WatchedFile;
import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whom the operator trusts: the JDK's authorities and those of {@code socket-proxy.tls.trust}, without what {@code socket-proxy.tls.crl}
 * revokes. All methods may be called concurrently.
 */
final class Trust implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Trust.class);

    private final TlsProperties properties;
    private final Consumer<SSLEngine> seen;
    private final @Nullable WatchedFile<List<X509Certificate>> authorities;
    private final @Nullable WatchedFile<List<X509CRL>> lists;

    // Guarded by this; made when they are first needed, which takes a tenth of a second.
    private @Nullable X509ExtendedTrustManager pkix;
    private @Nullable SSLContext usual;

    private volatile RevocationLists revoked = RevocationLists.NONE;

    /**
     * @param seen told of each engine whose peer has shown certificates
     * @throws InvalidTlsSettings where a file cannot be read or is wrong
     */
    Trust(TlsProperties properties, Consumer<SSLEngine> seen) {
        this.properties = properties;
        this.seen = seen;
        this.authorities = properties.trust() == null
                ? null
                : new TlsFile<>(
                                "socket-proxy.tls.trust",
                                Path.of(properties.trust()),
                                Pem::certificates,
                                () -> forget(true))
                        .read();
        this.lists = properties.crl() == null
                ? null
                : new TlsFile<>(
                                "socket-proxy.tls.crl",
                                Path.of(properties.crl()),
                                Pem::revocationLists,
                                this::takeLists)
                        .read();
        takeLists();
        files().forEach(WatchedFile::watch);
    }

    private Stream<WatchedFile<?>> files() {
        return Stream.<@Nullable WatchedFile<?>>of(authorities, lists).filter(Objects::nonNull);
    }

    private void takeLists() {
        WatchedFile<List<X509CRL>> file = lists;
        if (file == null) {
            return;
        }
        revoked = new RevocationLists(file.value());
        forget(false);
        Instant now = Instant.now();
        for (X509CRL list : file.value()) {
            if (list.getNextUpdate() != null && list.getNextUpdate().toInstant().isBefore(now)) {
                LOG.warn(
                        "socket-proxy.tls.crl: the list of {} was to be replaced by {}; it is used until then",
                        list.getIssuerX500Principal(),
                        list.getNextUpdate().toInstant());
            }
        }
    }

    /** What was verified before is not resumed after. */
    private synchronized void forget(boolean otherAuthorities) {
        usual = null;
        if (otherAuthorities) {
            pkix = null;
        }
    }

    /** The one whose sessions are resumed, among all who have no wish of their own. */
    synchronized SSLContext usual() throws GeneralSecurityException {
        SSLContext context = usual;
        if (context == null) {
            context = context(null, operators());
            context.getClientSessionContext()
                    .setSessionTimeout((int) properties.sessionTimeout().toSeconds());
            context.getClientSessionContext().setSessionCacheSize(properties.sessions());
            usual = context;
        }
        return context;
    }

    /**
     * One of its own, whose sessions nobody else resumes.
     *
     * @param own authorities instead of the operator's; null for those
     */
    SSLContext own(@Nullable List<X509Certificate> own, boolean verify, @Nullable X509ExtendedKeyManager identity)
            throws GeneralSecurityException {
        TrustManager trust = !verify ? new Unverified(seen) : own == null ? operators() : judgement(pkix(own));
        return context(identity, trust);
    }

    private static SSLContext context(@Nullable X509ExtendedKeyManager identity, TrustManager trust)
            throws GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(
                identity == null ? null : new X509ExtendedKeyManager[] {identity}, new TrustManager[] {trust}, null);
        return context;
    }

    private synchronized TrustManager operators() throws GeneralSecurityException {
        X509ExtendedTrustManager manager = pkix;
        if (manager == null) {
            manager = of(null);
            if (authorities != null) {
                List<X509Certificate> all = new ArrayList<>(Arrays.asList(manager.getAcceptedIssuers()));
                all.addAll(authorities.value());
                manager = pkix(all);
            }
            pkix = manager;
        }
        return judgement(manager);
    }

    private TrustManager judgement(X509ExtendedTrustManager manager) {
        return new Judgement(manager, revoked, seen);
    }

    private static X509ExtendedTrustManager pkix(List<X509Certificate> authorities) throws GeneralSecurityException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try {
            store.load(null, null);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        for (int i = 0; i < authorities.size(); i++) {
            store.setCertificateEntry(Integer.toString(i), authorities.get(i));
        }
        return of(store);
    }

    /** The JDK's; null for its own authorities. */
    private static X509ExtendedTrustManager of(@Nullable KeyStore store) throws GeneralSecurityException {
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(store);
        return (X509ExtendedTrustManager) factory.getTrustManagers()[0];
    }

    @Override
    public void close() {
        files().forEach(WatchedFile::close);
    }
}
