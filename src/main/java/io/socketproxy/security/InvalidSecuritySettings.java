package io.socketproxy.security;

/** A property of {@code socket-proxy.security} that cannot be used; neither message ever holds the property's value. */
final class InvalidSecuritySettings extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final String action;

    /**
     * @param problem what is wrong, naming the property
     * @param action what to do about it
     */
    InvalidSecuritySettings(String problem, String action) {
        super(problem);
        this.action = action;
    }

    String action() {
        return action;
    }
}
