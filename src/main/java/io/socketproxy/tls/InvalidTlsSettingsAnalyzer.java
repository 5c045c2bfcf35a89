package io.socketproxy.tls;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/** Has the start-up fail with a description and an action in place of a stack trace. */
final class InvalidTlsSettingsAnalyzer extends AbstractFailureAnalyzer<InvalidTlsSettings> {
    @Override
    protected FailureAnalysis analyze(Throwable rootFailure, InvalidTlsSettings cause) {
        return new FailureAnalysis(
                cause.getMessage(),
                "Write the file in PEM or DER, where the user that runs the service can read it.",
                cause);
    }
}
