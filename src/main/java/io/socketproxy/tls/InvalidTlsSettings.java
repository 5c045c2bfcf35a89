package io.socketproxy.tls;

/** A file of {@code socket-proxy.tls} that cannot be used. */
final class InvalidTlsSettings extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** @param problem what is wrong, naming the property */
    InvalidTlsSettings(String problem) {
        super(problem);
    }
}
