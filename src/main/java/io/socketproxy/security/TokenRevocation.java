package io.socketproxy.security;

import io.socketproxy.fault.SocketFault;
import io.socketproxy.fault.Unavailable;
import io.socketproxy.libc.Errno;
import jakarta.servlet.http.HttpServletRequest;
import java.util.Locale;
import java.util.regex.Pattern;

/** Makes tokens invalid before their time, as RFC 7009 does: whoever has a token may, since nobody is asked what it is worth to others. */
public final class TokenRevocation {
    private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");

    private final Authenticator authenticator;

    TokenRevocation(Authenticator authenticator) {
        this.authenticator = authenticator;
    }

    /**
     * Revokes a token; one that is not valid is left alone.
     *
     * @throws Unavailable where that cannot be kept
     */
    public void revoke(String token) {
        authenticator.revoke(token);
    }

    /**
     * Revokes the token of a request, which is answered all the same.
     *
     * @throws SocketFault EINVAL where its credential is none
     * @throws Unavailable as the other
     */
    public void revokeOwn(HttpServletRequest request) {
        if (!(Presented.in(request, false) instanceof Presented.Token(String own))) {
            throw SocketFault.invalid(
                    "token", "This request was made without a token. Say which one is to be revoked: token or sha256.");
        }
        revoke(own);
    }

    /**
     * Revokes a token by its SHA-256, whether there is one or not, for ever.
     *
     * @throws SocketFault EINVAL where it is none, EACCES for who is no operator: a hash is no proof of having the token
     * @throws Unavailable as the other
     */
    public void revokeHash(String sha256) {
        String hash = sha256.strip().toLowerCase(Locale.ROOT);
        if (!SHA256.matcher(hash).matches()) {
            throw SocketFault.invalid(
                    "sha256",
                    "sha256 must be the 64 hexadecimal digits that  printf %s \"$TOKEN\" | sha256sum  prints.");
        }
        if (!Owner.currentIsOperator()) {
            throw SocketFault.argument(
                    Errno.EACCES, "sha256", "Operators alone revoke tokens by their hashes. Give the token itself.");
        }
        authenticator.revokeHash(hash);
    }
}
