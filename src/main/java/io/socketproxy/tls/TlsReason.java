package io.socketproxy.tls;

import java.util.Locale;

/** Why TLS failed, as programs can tell it apart; docs/tls.md is the same table for readers. */
public enum TlsReason {
    EXPIRED("The peer's certificate has expired", "Whoever runs the peer has to renew it"),
    NOT_YET_VALID(
            "The peer's certificate is not valid yet",
            "Check the clock of the machine that made it, and of this server"),
    NAME_MISMATCH(
            "The peer's certificate is for other names",
            "Give serverName, if the peer is known by another name than the one that was connected to"),
    NO_SUBJECT_ALTERNATIVE_NAME(
            "The peer's certificate names nobody in its subject alternative names, and its common name counts for nothing (RFC 9525)",
            "Whoever runs the peer has to get one with a subjectAltName"),
    UNKNOWN_CA(
            "No authority that is trusted here has issued the peer's certificate",
            "Give that authority's certificate as ca, or ask the operator to add it to socket-proxy.tls.trust"),
    SELF_SIGNED(
            "The peer's certificate is signed by itself, and is not trusted here",
            "Give it as ca, or ask the operator to add it to socket-proxy.tls.trust"),
    REVOKED("The peer's certificate has been revoked", "Whoever runs the peer has to get a new one"),
    BAD_CERTIFICATE(
            "The peer's certificate, or one above it, is not fit for this",
            "Whoever runs the peer has to get another one"),
    NO_COMMON_PROTOCOL("The peer speaks no version of TLS that is spoken here", "It has to speak TLS 1.2 or 1.3"),
    NO_COMMON_CIPHER(
            "The peer takes none of the cipher suites, groups and signatures that are offered",
            "It has to take one of those of TLS 1.3, or of TLS 1.2 with ECDHE and an AEAD cipher"),
    NO_COMMON_ALPN(
            "The peer speaks none of the protocols that alpn offers", "Offer one that it speaks, or leave alpn out"),
    ALERT("The peer has broken TLS off", "tlsAlert says why"),
    TIMEOUT(
            "The peer did not finish the TLS handshake in time",
            "Check that TLS is what it expects at this point, or allow more time"),
    NOT_TLS(
            "What the peer sent is not TLS",
            "Check the port, and whether the peer wants to be asked for TLS first, as STARTTLS does"),
    CLOSED(
            "The peer closed the connection in the TLS handshake",
            "Check that TLS is what it expects at this point, and what its log says"),
    RESET(
            "The peer reset the connection in the TLS handshake",
            "Check that TLS is what it expects at this point, and what its log says"),
    TRUNCATED(
            "The peer closed the connection without the end that TLS has for it (close_notify): what was received may not be whole",
            "Take what was received only if it says itself that it is whole"),
    STARTTLS_INJECTION(
            "The peer, or somebody between, had sent bytes in clear that nobody had read when TLS was to begin; the socket is closed",
            "Read the whole answer of the peer before you ask for TLS; if you did, do not trust this network"),
    RENEGOTIATION(
            "The peer wanted to negotiate TLS anew within the connection, which is refused",
            "It has to ask for what it needs in the first handshake, or to speak TLS 1.3"),
    PROTOCOL_ERROR(
            "The peer does not keep to the TLS protocol, or the connection has been tampered with",
            "Check what its log says");

    private final String happened;
    private final String todo;

    TlsReason(String happened, String todo) {
        this.happened = happened;
        this.todo = todo;
    }

    /** As {@code tlsReason} has it: {@code name-mismatch}. */
    public String id() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** The one with this id. */
    static TlsReason of(String id) {
        return valueOf(id.toUpperCase(Locale.ROOT).replace('-', '_'));
    }

    /** What happened and what to do about it. */
    public String sentence() {
        return sentence(happened);
    }

    /** As the other, where more is known about what happened; without a full stop. */
    String sentence(String told) {
        return told + ". " + todo + ".";
    }
}
