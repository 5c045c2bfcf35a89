package io.socketproxy.rest;

import io.socketproxy.fault.SocketFault;
import io.socketproxy.security.TokenRevocation;
import jakarta.servlet.http.HttpServletRequest;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/** Tokens that are to be valid no more. */
@RestController
@RequestMapping(path = "/api/v1/revocations", produces = MediaType.APPLICATION_JSON_VALUE)
class RevocationsController {

    private final TokenRevocation revocation;

    RevocationsController(TokenRevocation revocation) {
        this.revocation = revocation;
    }

    record RevocationRequest(
            @Nullable String token, @Nullable String sha256) {
        /** Without the token. */
        @Override
        public String toString() {
            return "RevocationRequest";
        }
    }

    @PostMapping
    @ResponseStatus(HttpStatus.NO_CONTENT)
    void revoke(@RequestBody(required = false) @Nullable RevocationRequest body, HttpServletRequest http) {
        String token = body == null ? null : body.token();
        String sha256 = body == null ? null : body.sha256();
        if (token != null && sha256 != null) {
            throw SocketFault.invalid("sha256", "Give token or sha256, not both.");
        }
        if (token != null) {
            revocation.revoke(token);
        } else if (sha256 != null) {
            revocation.revokeHash(sha256);
        } else {
            revocation.revokeOwn(http);
        }
    }
}
