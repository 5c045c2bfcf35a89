package io.socketproxy.observability;

import io.socketproxy.address.InetText;
import io.socketproxy.policy.Decision;
import io.socketproxy.registry.SocketEvents;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;

/** One line for each thing that policy allowed or denied, under the logger {@code io.socketproxy.decisions}. */
@Component
class DecisionLog implements SocketEvents {
    private static final Logger LOG = LoggerFactory.getLogger("io.socketproxy.decisions");

    @Override
    public void decided(String owner, Operation operation, Decision decision) {
        if (!LOG.isInfoEnabled()) {
            return;
        }
        LOG.info(
                "decision={} owner={} op={} transport={} host={} address={} class={} rule={}",
                decision instanceof Decision.Allowed ? "allow" : "deny",
                quoted(owner),
                operation.name().toLowerCase(Locale.ROOT),
                decision.target().transport().name().toLowerCase(Locale.ROOT),
                quoted(decision.target().host()),
                quoted(InetText.display(decision.target().address())),
                decision.addressClass().id(),
                decision.rule());
    }

    /** Callers choose hosts and paths: nothing of theirs may begin a new line or a new field. */
    private static String quoted(@org.jspecify.annotations.Nullable String text) {
        if (text == null) {
            return "-";
        }
        StringBuilder quoted = new StringBuilder("\"");
        text.codePoints().limit(300).forEach(c -> {
            if (c == '"' || c == '\\') {
                quoted.append('\\').appendCodePoint(c);
            } else if (isInvisible(c)) {
                quoted.append(String.format("\\u%04x", c));
            } else {
                quoted.appendCodePoint(c);
            }
        });
        return quoted.append('"').toString();
    }

    /** Line ends, a terminal's escape sequences, what turns the direction of the text, and the like. */
    private static boolean isInvisible(int codePoint) {
        return switch (Character.getType(codePoint)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.SURROGATE -> true;
            default -> false;
        };
    }
}
