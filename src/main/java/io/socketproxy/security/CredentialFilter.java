package io.socketproxy.security;

import io.socketproxy.fault.Unavailable;
import io.socketproxy.frontdoor.HttpConnection;
import io.socketproxy.overload.SampledLog;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.security.authentication.AuthenticationServiceException;
import org.springframework.security.core.GrantedAuthority;
import org.springframework.security.core.authority.AuthorityUtils;
import org.springframework.security.core.context.SecurityContext;
import org.springframework.security.core.context.SecurityContextHolder;
import org.springframework.security.web.authentication.preauth.PreAuthenticatedAuthenticationToken;
import org.springframework.security.web.context.SecurityContextRepository;
import org.springframework.web.filter.OncePerRequestFilter;

/**
 * Finds the request's owner by its credential, and turns away WebSocket handshakes from pages of foreign origins.
 *
 * <p>A bad credential is no answer yet: paths that need none ignore it.
 */
final class CredentialFilter extends OncePerRequestFilter {

    private static final Logger LOG = LoggerFactory.getLogger(CredentialFilter.class);

    /** Whoever likes can make these lines. */
    private static final SampledLog REFUSALS = new SampledLog(LOG, 100, Duration.ofSeconds(10));

    private static final SampledLog ORIGINS = new SampledLog(LOG, 1, Duration.ofMinutes(10));

    /** The role of those who may see what is about the whole server. */
    static final String OPERATOR = "OPERATOR";

    /** The role of another node, which asks for one of its callers. */
    static final String NODE = "NODE";

    /** Where a servlet finds the chain that the client sent, its own certificate first. */
    private static final String CERTIFICATES = "jakarta.servlet.request.X509Certificate";

    private final Authenticator authenticator;

    private final Origins origins;

    private final Refusals refusals;

    /** Keeps the owner for the request's error and asynchronous dispatches. */
    private final SecurityContextRepository repository;

    private final Set<String> operators;

    /** @param operators the names of the owners who have the role of operators */
    CredentialFilter(
            Authenticator authenticator,
            Origins origins,
            Refusals refusals,
            SecurityContextRepository repository,
            Set<String> operators) {
        this.operators = operators;
        this.authenticator = authenticator;
        this.origins = origins;
        this.refusals = refusals;
        this.repository = repository;
    }

    @Override
    protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws ServletException, IOException {
        boolean handshake = Handshake.isOne(request);
        if (!origins.allowed(request)) {
            logForeignOrigin(request);
            // Before the credential, so that a foreign page cannot spend a ticket.
            if (handshake) {
                refusals.foreignOrigin(request, response);
                return;
            }
        }
        Presented presented = Presented.in(request, handshake);
        boolean node = presented instanceof Presented.Token(String token) && authenticator.isOfNode(token);
        Optional<Owner> owner = ownerIfKnown(presented, request);
        HttpConnection connection = HttpConnection.current();
        if (owner.isEmpty() || connection == null) {
            owner.ifPresent(known -> signIn(known, node, request, response));
            goOn(request, response, chain, handshake);
            return;
        }
        signIn(owner.get(), node, request, response);
        connection.owned();
        try {
            goOn(request, response, chain, handshake);
        } finally {
            connection.answered();
        }
    }

    /** Browsers tell the page nothing and its user little, so the operator is told; once for each origin in a while. */
    private void logForeignOrigin(HttpServletRequest request) {
        String line = origins.settingFor(request)
                .map(setting -> "A page of another origin was refused; to allow it, set " + setting)
                .orElse("A page was refused that has no origin to allow, such as a file or a sandboxed frame");
        ORIGINS.write(line, () -> LOG.warn("{} remote={}", line, request.getRemoteAddr()));
    }

    private static void goOn(
            HttpServletRequest request, HttpServletResponse response, FilterChain chain, boolean handshake)
            throws ServletException, IOException {
        chain.doFilter(handshake ? Handshake.withoutBearerProtocol(request) : request, response);
    }

    private Optional<Owner> ownerIfKnown(Presented presented, HttpServletRequest request) {
        try {
            return owner(presented, request);
        } catch (Unavailable e) {
            return refuse(request, Refusals.Cause.CANNOT_TELL, String.valueOf(e.getMessage()));
        }
    }

    private Optional<Owner> owner(Presented presented, HttpServletRequest request) {
        return switch (presented) {
            case Presented.Nothing() -> certificateOwner(request);
            case Presented.Malformed(String detail) -> refuse(request, Refusals.Cause.MALFORMED, detail);
            case Presented.Ticket(String ticket) ->
                authenticator
                        .ticket(ticket)
                        .or(() -> refuse(
                                request,
                                Refusals.Cause.NOT_VALID,
                                "The ticket is unknown, spent or expired: it serves once, for "
                                        + Tickets.LIFETIME.toSeconds()
                                        + " s. Get a new one from POST /api/v1/tickets."));
            case Presented.Token(String token) -> tokenOwner(token, request);
        };
    }

    /** The owner by the certificate of the connection, which browsers send for whichever page. */
    private Optional<Owner> certificateOwner(HttpServletRequest request) {
        if (!authenticator.knowsCertificates()
                || !(request.getAttribute(CERTIFICATES) instanceof X509Certificate[] chain)
                || chain.length == 0) {
            return Optional.empty();
        }
        return origins.allowedByCertificate(request)
                ? authenticator
                        .certificate(chain[0])
                        .or(() -> refuse(
                                request,
                                Refusals.Cause.NOT_VALID,
                                "The certificate is nobody's here. Send \"Authorization: Bearer <token>\" with an API token of this"
                                        + " server, or ask the operator to add it to " + CertificateOwners.PROPERTY
                                        + "."))
                : refuse(
                        request,
                        Refusals.Cause.FOREIGN_PAGE,
                        "A certificate alone does not speak for pages of another origin. Send a token, or ask the operator to name the"
                                + " origin in socket-proxy.security.allowed-origins.");
    }

    private Optional<Owner> tokenOwner(String token, HttpServletRequest request) {
        try {
            return (authenticator.isOfNode(token) ? authenticator.node(token) : authenticator.token(token))
                    .or(() -> refuse(
                            request,
                            Refusals.Cause.NOT_VALID,
                            "The token is unknown, expired, revoked or not for this server. Send \"Authorization: Bearer <token>\" with an API"
                                    + " token of this server."));
        } catch (AuthenticationServiceException e) {
            REFUSALS.write(
                    "Cannot check JWTs",
                    () -> LOG.warn("Cannot check JWTs: {}: {}", e.getMessage(), String.valueOf(e.getCause())));
            return refuse(
                    request,
                    Refusals.Cause.CANNOT_TELL,
                    "The token's issuer cannot be reached, so the token cannot be checked. Try again.");
        }
    }

    /** Empty, so that it reads as an answer; the path is not logged, because it can hold a token in some protocols. */
    private static Optional<Owner> refuse(HttpServletRequest request, Refusals.Cause cause, String detail) {
        REFUSALS.write(
                "Credential refused: cause=" + cause,
                () -> LOG.info("Credential refused: cause={} remote={}", cause, request.getRemoteAddr()));
        Refusals.remember(request, cause, detail);
        return Optional.empty();
    }

    private void signIn(Owner owner, boolean node, HttpServletRequest request, HttpServletResponse response) {
        SecurityContext context = SecurityContextHolder.createEmptyContext();
        List<GrantedAuthority> authorities = AuthorityUtils.NO_AUTHORITIES;
        if (node) {
            authorities = AuthorityUtils.createAuthorityList("ROLE_" + NODE);
        } else if (operators.contains(owner.name())) {
            authorities = AuthorityUtils.createAuthorityList("ROLE_" + OPERATOR);
        }
        context.setAuthentication(new PreAuthenticatedAuthenticationToken(owner, "", authorities));
        SecurityContextHolder.setContext(context);
        repository.saveContext(context, request, response);
    }
}
