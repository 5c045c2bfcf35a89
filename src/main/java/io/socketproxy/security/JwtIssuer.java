package io.socketproxy.security;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.security.oauth2.server.resource.autoconfigure.OAuth2ResourceServerProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Condition;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.context.annotation.Conditional;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.type.AnnotatedTypeMetadata;
import org.springframework.http.client.SimpleClientHttpRequestFactory;
import org.springframework.security.oauth2.core.DelegatingOAuth2TokenValidator;
import org.springframework.security.oauth2.core.OAuth2TokenValidator;
import org.springframework.security.oauth2.jose.jws.SignatureAlgorithm;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.JwtClaimNames;
import org.springframework.security.oauth2.jwt.JwtClaimValidator;
import org.springframework.security.oauth2.jwt.JwtDecoder;
import org.springframework.security.oauth2.jwt.JwtIssuerValidator;
import org.springframework.security.oauth2.jwt.JwtTimestampValidator;
import org.springframework.security.oauth2.jwt.JwtTypeValidator;
import org.springframework.security.oauth2.jwt.NimbusJwtDecoder;
import org.springframework.security.oauth2.jwt.SupplierJwtDecoder;
import org.springframework.util.StringUtils;
import org.springframework.web.client.RestTemplate;

/**
 * The decoder for the JWTs of {@code spring.security.oauth2.resourceserver.jwt.issuer-uri} or {@code jwk-set-uri}.
 *
 * <p>In the place of Spring Boot's, which takes tokens that never expire and refuses those that say what they are, {@code typ: at+jwt}
 * (RFC 9068 section 2.1).
 */
@Configuration(proxyBeanMethods = false)
class JwtIssuer {

    private static final Logger LOG = LoggerFactory.getLogger(JwtIssuer.class);

    private static final String PREFIX = "spring.security.oauth2.resourceserver.jwt.";

    private static final Duration ISSUER_TIMEOUT = Duration.ofSeconds(3);

    /** After so long a new key of the issuer's is known. */
    private static final Duration FETCH_INTERVAL = Duration.ofSeconds(10);

    private static final Duration FETCH_AFTER_FAILURE = Duration.ofSeconds(1);

    static final class Configured implements Condition {

        @Override
        public boolean matches(ConditionContext context, AnnotatedTypeMetadata metadata) {
            // An empty variable, as Compose files like to pass, is none.
            return StringUtils.hasText(context.getEnvironment().getProperty(PREFIX + "issuer-uri"))
                    || StringUtils.hasText(context.getEnvironment().getProperty(PREFIX + "jwk-set-uri"));
        }
    }

    @Bean
    @Conditional(Configured.class)
    JwtDecoder jwtDecoder(OAuth2ResourceServerProperties properties) {
        OAuth2ResourceServerProperties.Jwt jwt = properties.getJwt();
        if (jwt.getAudiences().isEmpty()) {
            LOG.warn(
                    "{}audiences is not set: every token of the issuer is accepted, for whichever service it was made",
                    PREFIX);
        }
        // The issuer is asked when the first token comes: this server must start, and serve API tokens, without it.
        return new SupplierJwtDecoder(() -> decoder(jwt));
    }

    private static NimbusJwtDecoder decoder(OAuth2ResourceServerProperties.Jwt jwt) {
        NimbusJwtDecoder decoder = (StringUtils.hasText(jwt.getJwkSetUri())
                        ? NimbusJwtDecoder.withJwkSetUri(jwt.getJwkSetUri())
                                .jwsAlgorithms(algorithms -> jwt.getJwsAlgorithms().stream()
                                        .map(SignatureAlgorithm::from)
                                        .filter(Objects::nonNull)
                                        .forEach(algorithms::add))
                        : NimbusJwtDecoder.withIssuerLocation(Objects.requireNonNull(jwt.getIssuerUri())))
                .restOperations(issuer())
                .validateType(false)
                .build();
        decoder.setJwtValidator(validator(jwt));
        return decoder;
    }

    private static RestTemplate issuer() {
        SimpleClientHttpRequestFactory http = new SimpleClientHttpRequestFactory();
        http.setConnectTimeout(ISSUER_TIMEOUT);
        http.setReadTimeout(ISSUER_TIMEOUT);
        RestTemplate issuer = new RestTemplate(http);
        issuer.getInterceptors().add(new PatientFetch(FETCH_INTERVAL, FETCH_AFTER_FAILURE));
        return issuer;
    }

    private static OAuth2TokenValidator<Jwt> validator(OAuth2ResourceServerProperties.Jwt jwt) {
        JwtTypeValidator type = new JwtTypeValidator("JWT", "at+jwt", "application/at+jwt");
        type.setAllowEmpty(true);
        JwtTimestampValidator timestamps = new JwtTimestampValidator();
        timestamps.setAllowEmptyExpiryClaim(false);
        OAuth2TokenValidator<Jwt> issuer = StringUtils.hasText(jwt.getIssuerUri())
                ? new JwtIssuerValidator(jwt.getIssuerUri())
                : new DelegatingOAuth2TokenValidator<>(List.of());
        OAuth2TokenValidator<Jwt> audience = jwt.getAudiences().isEmpty()
                ? new DelegatingOAuth2TokenValidator<>(List.of())
                : new JwtClaimValidator<List<String>>(
                        JwtClaimNames.AUD,
                        audiences -> audiences != null && audiences.stream().anyMatch(jwt.getAudiences()::contains));
        return new DelegatingOAuth2TokenValidator<>(List.of(type, timestamps, issuer, audience));
    }
}
