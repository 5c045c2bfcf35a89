package io.socketproxy.security;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/** Has the start-up fail with a description and an action in place of a stack trace. */
final class InvalidSecuritySettingsAnalyzer extends AbstractFailureAnalyzer<InvalidSecuritySettings> {

    @Override
    protected FailureAnalysis analyze(Throwable rootFailure, InvalidSecuritySettings cause) {
        return new FailureAnalysis(cause.getMessage(), cause.action(), cause);
    }
}
