package io.socketproxy.security;

import io.socketproxy.http.ServiceAddress;
import jakarta.servlet.DispatcherType;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.boot.ssl.SslBundles;
import org.springframework.boot.web.server.autoconfigure.ServerProperties;
import org.springframework.context.ApplicationListener;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;
import org.springframework.http.HttpMethod;
import org.springframework.security.authorization.AuthenticatedAuthorizationManager;
import org.springframework.security.authorization.AuthorityAuthorizationManager;
import org.springframework.security.authorization.AuthorizationManagers;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.config.annotation.web.configurers.AbstractHttpConfigurer;
import org.springframework.security.config.annotation.web.configurers.HeadersConfigurer;
import org.springframework.security.config.observation.SecurityObservationSettings;
import org.springframework.security.oauth2.jwt.JwtDecoder;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.security.web.authentication.www.BasicAuthenticationFilter;
import org.springframework.security.web.context.RequestAttributeSecurityContextRepository;
import org.springframework.security.web.header.writers.ReferrerPolicyHeaderWriter.ReferrerPolicy;
import org.springframework.web.cors.CorsConfiguration;
import org.springframework.web.cors.DefaultCorsProcessor;
import org.springframework.web.filter.CorsFilter;

/** The one filter chain, and what it is made of. */
@Configuration(proxyBeanMethods = false)
class SecurityConfiguration {

    /** What needs no credential, to read; see docs/security.md. */
    private static final String[] PUBLIC = {
        "/actuator/health",
        "/actuator/health/liveness",
        "/actuator/health/readiness",
        "/",
        "/index.html",
        "/favicon*",
        "/client/**",
        "/console/**",
        "/examples",
        "/examples/**",
        "/openapi.yaml",
        "/asyncapi.yaml",
        "/v3/api-docs",
        "/v3/api-docs/**",
        "/v3/api-docs.yaml",
        "/swagger-ui.html",
        "/swagger-ui/**",
    };

    /** A span and a timer for each filter of each request cost an eighth of a stream's set-up, and tell nobody anything. */
    @Bean
    SecurityObservationSettings securityObservations() {
        return SecurityObservationSettings.noObservations();
    }

    @Bean
    SecurityFilterChain securityFilterChain(
            HttpSecurity http,
            Authenticator authenticator,
            Origins origins,
            Refusals refusals,
            SecuritySettings settings) {
        var repository = new RequestAttributeSecurityContextRepository();
        http.authorizeHttpRequests(requests -> requests.dispatcherTypeMatchers(
                                DispatcherType.ERROR, DispatcherType.ASYNC)
                        // The request they go on with has passed, or has been refused already.
                        .permitAll()
                        .requestMatchers(HttpMethod.GET, PUBLIC)
                        .permitAll()
                        .requestMatchers(HttpMethod.HEAD, PUBLIC)
                        .permitAll()
                        // Asked for by name there is no error to report, which Spring Boot answers with 500.
                        .requestMatchers("/error")
                        .denyAll()
                        // What one owner does is nothing for the others to see, not even in sums.
                        .requestMatchers("/actuator/**")
                        .hasRole(CredentialFilter.OPERATOR)
                        // What a node asks another one for a caller of its own.
                        .requestMatchers(HttpMethod.GET, "/api/v1/sockets")
                        .authenticated()
                        .requestMatchers(HttpMethod.POST, "/api/v1/sockets/poll")
                        .authenticated()
                        .anyRequest()
                        .access(AuthorizationManagers.allOf(
                                AuthenticatedAuthorizationManager.authenticated(),
                                AuthorizationManagers.not(
                                        AuthorityAuthorizationManager.hasRole(CredentialFilter.NODE)))))
                .addFilterAt(
                        new CredentialFilter(
                                authenticator, origins, refusals, repository, Set.copyOf(settings.operators())),
                        BasicAuthenticationFilter.class)
                .exceptionHandling(
                        handling -> handling.authenticationEntryPoint(refusals).accessDeniedHandler(refusals))
                .securityContext(context -> context.securityContextRepository(repository))
                // Nothing begins a session: the repository keeps to the request.
                .sessionManagement(AbstractHttpConfigurer::disable)
                // A forged request has no credential: browsers attach cookies and passwords by themselves, but no
                // bearer token; of a certificate, which they do, the filter asks whose page it is.
                .csrf(AbstractHttpConfigurer::disable)
                .requestCache(AbstractHttpConfigurer::disable)
                .logout(AbstractHttpConfigurer::disable)
                .headers(SecurityConfiguration::headers);
        if (origins.listsAny()) {
            http.addFilterBefore(corsFilter(origins), BasicAuthenticationFilter.class);
        }
        return http.build();
    }

    private static void headers(HeadersConfigurer<HttpSecurity> headers) {
        headers.cacheControl(HeadersConfigurer.CacheControlConfig::disable)
                .frameOptions(HeadersConfigurer.FrameOptionsConfig::deny)
                .referrerPolicy(referrer -> referrer.policy(ReferrerPolicy.NO_REFERRER))
                .addHeaderWriter(new ResponseHeaders());
    }

    /** Says nothing to pages of other origins, whose browsers then keep the answers from them. */
    private static CorsFilter corsFilter(Origins origins) {
        CorsConfiguration cors = new CorsConfiguration();
        cors.addAllowedOriginPattern(CorsConfiguration.ALL);
        cors.addAllowedMethod(CorsConfiguration.ALL);
        cors.addAllowedHeader(CorsConfiguration.ALL);
        cors.setExposedHeaders(List.of(
                "Location",
                "Link",
                "Proxy-Status",
                "Retry-After",
                "Socket-Address-Host",
                "Socket-Address-Port",
                "Socket-Msg-Flags",
                "Socket-Msg-Length",
                "WWW-Authenticate"));
        cors.setMaxAge(Duration.ofHours(1));
        DefaultCorsProcessor processor = new DefaultCorsProcessor();
        CorsFilter filter = new CorsFilter(request -> {
            String origin = request.getHeader("Origin");
            return origin != null && origins.lists(origin) ? cors : null;
        });
        filter.setCorsProcessor((configuration, request, response) ->
                configuration == null || processor.processRequest(configuration, request, response));
        return filter;
    }

    @Bean
    Refusals refusals() {
        return new Refusals();
    }

    @Bean
    Origins origins(SecuritySettings settings) {
        return Origins.configured(settings.allowedOrigins());
    }

    @Bean
    Tickets tickets(ObjectProvider<Clock> clock, ObjectProvider<TicketStore> ofAllNodes) {
        return new Tickets(
                clock.getIfAvailable(Clock::systemUTC),
                ofAllNodes.getIfAvailable(() -> new UnspentTickets(System::nanoTime)));
    }

    @Bean
    TokenRevocation tokenRevocation(Authenticator authenticator) {
        return new TokenRevocation(authenticator);
    }

    @Bean
    ApiTokens apiTokens(SecuritySettings settings, ObjectProvider<JwtDecoder> jwtDecoder, Environment environment) {
        ApiTokens tokens = ApiTokens.configured(
                settings,
                jwtDecoder.getIfAvailable() != null || !settings.certificates().isEmpty());
        String node = environment.getProperty("socket-proxy.cluster.node", "");
        if (tokens.generated().isPresent() && !node.isEmpty()) {
            throw new InvalidSecuritySettings(
                    "No API token is configured, and each of several nodes would make one of its own.",
                    "Give all nodes the same: SOCKET_PROXY_TOKEN=\"spx_$(openssl rand -hex 32)\", or a file of hashes (socket-proxy.security.tokens-file).");
        }
        return tokens;
    }

    @Bean
    CertificateOwners certificateOwners(SecuritySettings settings, ServerProperties server, SslBundles bundles) {
        CertificateOwners owners = new CertificateOwners(settings.certificates());
        if (!owners.isEmpty()) {
            ClientAuthentication.require(server.getSsl(), bundles);
        }
        return owners;
    }

    @Bean
    Authenticator authenticator(
            SecuritySettings settings,
            ApiTokens apiTokens,
            ObjectProvider<JwtDecoder> jwtDecoder,
            Tickets tickets,
            CertificateOwners certificates,
            ObjectProvider<Revocations> ofAllNodes,
            ObjectProvider<NodeCredentials> nodes) {
        JwtOwners jwtOwners = Optional.ofNullable(jwtDecoder.getIfAvailable())
                .map(decoder -> new JwtOwners(decoder, settings.jwt().ownerClaim()))
                .orElse(null);
        return new Authenticator(
                apiTokens,
                jwtOwners,
                tickets,
                certificates,
                ofAllNodes.getIfAvailable(RevokedHere::new),
                nodes.getIfAvailable());
    }

    @Bean
    ApplicationListener<ApplicationReadyEvent> generatedTokenNotice(ApiTokens apiTokens) {
        return event -> apiTokens
                .generated()
                .ifPresent(token -> ServiceAddress.of(event.getApplicationContext())
                        .ifPresent(service -> new GeneratedTokenNotice(token, service).print(System.out)));
    }
}
