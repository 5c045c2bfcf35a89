package io.socketproxy.observability;

import io.socketproxy.address.InetText;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.overload.SampledLog;
import io.socketproxy.policy.Decision;
import io.socketproxy.registry.Handle;
import io.socketproxy.registry.SocketEvents;
import io.socketproxy.tls.TlsFailure;
import io.socketproxy.tls.TlsSession;
import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;

/**
 * One line for each thing that policy allowed or denied, under the logger {@code io.socketproxy.decisions}. Of one owner's of a kind those
 * beyond {@value #LINES} a second are counted: nobody is to fill the log, or keep others from it.
 */
@Component
class DecisionLog implements SocketEvents {
    private static final Logger LOG = LoggerFactory.getLogger("io.socketproxy.decisions");

    /** More than the default limits let anybody connect in a second. */
    private static final int LINES = 256;

    private final SampledLog sampled = new SampledLog(LOG, LINES, Duration.ofSeconds(1));

    @Override
    public void decided(String owner, Operation operation, Decision decision) {
        if (LOG.isInfoEnabled()) {
            String outcome = decision instanceof Decision.Allowed ? "allow" : "deny";
            String name = operation.name().toLowerCase(Locale.ROOT);
            sampled.write(
                    "decision=" + outcome + " owner=" + quoted(owner) + " op=" + name,
                    () -> write(owner, outcome, name, decision));
        }
    }

    private static void write(String owner, String outcome, String operation, Decision decision) {
        LOG.info(
                "decision={} owner={} op={} transport={} host={} address={} class={} rule={}",
                outcome,
                quoted(owner),
                operation,
                decision.target().transport().name().toLowerCase(Locale.ROOT),
                quoted(decision.target().host()),
                quoted(InetText.display(decision.target().address())),
                decision.addressClass().id(),
                decision.rule());
    }

    @Override
    public void secured(Handle handle, Duration took, @Nullable SocketFault failure) {
        if (LOG.isInfoEnabled()) {
            String outcome = failure instanceof TlsFailure tls ? tls.reason() : failure == null ? "secured" : "failed";
            sampled.write(
                    "tls=" + outcome + " owner=" + quoted(handle.owner()), () -> write(handle, outcome, took, failure));
        }
    }

    private static void write(Handle handle, String outcome, Duration took, @Nullable SocketFault failure) {
        TlsSession session = handle.tls();
        LOG.info(
                "tls={} owner={} handle={} host={} name={} protocol={} cipher={} alpn={} errno={} ms={}",
                outcome,
                quoted(handle.owner()),
                handle.id(),
                quoted(handle.peerName()),
                quoted(session == null ? null : session.serverName()),
                session == null ? "-" : session.protocol(),
                session == null ? "-" : session.cipherSuite(),
                quoted(session == null ? null : session.alpn()),
                failure == null ? "-" : failure.errno().name(),
                took.toMillis());
    }

    /** Callers choose hosts and paths: nothing of theirs may begin a new line or a new field. */
    private static String quoted(@Nullable String text) {
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
