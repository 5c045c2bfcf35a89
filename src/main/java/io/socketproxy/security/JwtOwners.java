package io.socketproxy.security;

import java.time.Instant;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.security.authentication.AuthenticationServiceException;
import org.springframework.security.oauth2.jwt.BadJwtException;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.JwtDecoder;
import org.springframework.security.oauth2.jwt.JwtException;
import org.springframework.security.oauth2.jwt.JwtTimestampValidator;
import org.springframework.util.StringUtils;

/** The owners for whom the JWTs of an issuer speak. */
final class JwtOwners {

    private static final int MAX_NAME_LENGTH = 512;

    /** The header, the claims and the signature of a compact JWS, RFC 7515 section 7.1; anything else is not worth a decoder's time. */
    private static final Pattern COMPACT = Pattern.compile("[\\w-]+\\.[\\w-]+\\.[\\w-]+");

    /** Visible characters: an owner's name is written to logs. */
    private static final Pattern NAME =
            Pattern.compile("[\\p{IsAssigned}&&[^\\p{IsControl}\\p{IsWhite_Space}\\p{Cf}]]+");

    private final JwtDecoder decoder;

    private final String ownerClaim;

    /** @param decoder which checks all that makes a JWT valid, see {@link JwtTimestampValidator} and its like */
    JwtOwners(JwtDecoder decoder, String ownerClaim) {
        this.decoder = decoder;
        this.ownerClaim = ownerClaim;
    }

    /**
     * The owner {@code jwt:<issuer>|<claim>}; empty if the token is not a valid JWT of the issuer, or lacks the claim.
     *
     * @throws AuthenticationServiceException if the issuer's keys cannot be had, so that nobody can say
     */
    Optional<Owner> owner(String token) {
        if (!COMPACT.matcher(token).matches()) {
            return Optional.empty();
        }
        try {
            return owner(decoder.decode(token));
        } catch (BadJwtException e) {
            return Optional.empty();
        } catch (JwtException | IllegalStateException | IllegalArgumentException e) {
            throw new AuthenticationServiceException("The keys of the JWTs' issuer cannot be had", e);
        }
    }

    /** When a valid token ends; null where it does not, or is none of these. */
    @Nullable
    Instant expiry(String token) {
        return COMPACT.matcher(token).matches() ? decoder.decode(token).getExpiresAt() : null;
    }

    private Optional<Owner> owner(Jwt jwt) {
        Object issuer = jwt.getClaims().get("iss");
        Object claim = jwt.getClaims().get(ownerClaim);
        String issuerText = issuer == null ? "" : issuer.toString();
        // A bar in the issuer would let "a|b" of "c" pass for "b|c" of "a"; no URI holds one.
        if (!(claim instanceof String name) || !StringUtils.hasText(name) || issuerText.contains("|")) {
            return Optional.empty();
        }
        String owner = "jwt:" + issuerText + "|" + name;
        return owner.length() <= MAX_NAME_LENGTH && NAME.matcher(owner).matches()
                ? Optional.of(new Owner(owner))
                : Optional.empty();
    }
}
