package io.socketproxy;

import java.util.List;
import java.util.Locale;
import org.springframework.boot.context.properties.bind.validation.BindValidationException;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.origin.Origin;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.validation.FieldError;
import org.springframework.validation.ObjectError;

/** Has the start-up fail with a sentence for each setting that is out of its bounds, which it names; Spring Boot's own says the same in five lines. */
@Order(Ordered.HIGHEST_PRECEDENCE)
final class InvalidSettingAnalyzer extends AbstractFailureAnalyzer<BindValidationException> {
    @Override
    protected FailureAnalysis analyze(Throwable rootFailure, BindValidationException cause) {
        String prefix = cause.getValidationErrors().getName().toString();
        List<String> sentences = cause.getValidationErrors().getAllErrors().stream()
                .map(error -> sentence(prefix, error))
                .sorted()
                .toList();
        return new FailureAnalysis(
                String.join("\n", sentences), "Correct the value; docs/configuration.md has its bounds.", cause);
    }

    private static String sentence(String prefix, ObjectError error) {
        if (!(error instanceof FieldError field)) {
            return prefix + ": " + error.getDefaultMessage() + ".";
        }
        String name = field.getField().replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
        Origin origin = Origin.from(error);
        return prefix + "." + name + (origin == null ? "" : " (" + origin + ")") + " is " + field.getRejectedValue()
                + ", but " + field.getDefaultMessage() + ".";
    }
}
