package io.socketproxy.observability;

import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.semconv.ErrorAttributes;
import io.opentelemetry.semconv.NetworkAttributes;
import io.opentelemetry.semconv.ServerAttributes;
import io.socketproxy.address.InetText;
import io.socketproxy.address.Resolver;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.policy.Decision;
import io.socketproxy.policy.Target;
import io.socketproxy.policy.Transport;
import io.socketproxy.registry.Handle;
import io.socketproxy.registry.SocketEvents;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.stereotype.Component;

/**
 * What happens within a request that is traced: a span for each look-up of a name, each connect and each stream, and an event for each
 * decision of policy; docs/operations.md lists their attributes.
 *
 * <p>What happens in no request, such as a datagram on a stream, is not traced. No attribute is a secret or the id of a handle.
 */
@Component
@ConditionalOnBooleanProperty(TracingSwitch.PROPERTY)
class Traces implements SocketEvents, Resolver.LookUps {
    private static final AttributeKey<String> OPERATION = AttributeKey.stringKey("socket_proxy.operation");
    private static final AttributeKey<String> OUTCOME = AttributeKey.stringKey("socket_proxy.policy.outcome");
    private static final AttributeKey<String> CLASS = AttributeKey.stringKey("socket_proxy.policy.class");
    private static final AttributeKey<String> RULE = AttributeKey.stringKey("socket_proxy.policy.rule");
    private static final AttributeKey<String> LOOKED_UP = AttributeKey.stringKey("dns.question.name");
    private static final AttributeKey<String> STREAM_END = AttributeKey.stringKey("socket_proxy.stream.end");
    private static final AttributeKey<Long> TO_CLIENT = AttributeKey.longKey("socket_proxy.stream.to_client_bytes");
    private static final AttributeKey<Long> FROM_CLIENT = AttributeKey.longKey("socket_proxy.stream.from_client_bytes");

    private final Tracer tracer;

    /** The request of a stream that has not begun yet, and may never; until the handle ends at the latest. */
    private final ConcurrentMap<Handle, Context> requested = new ConcurrentHashMap<>();

    private final ConcurrentMap<Handle, Span> streams = new ConcurrentHashMap<>();

    Traces(OpenTelemetry telemetry) {
        this.tracer = telemetry.getTracer("io.socketproxy");
    }

    @Override
    public void lookedUp(String subject, Duration took, int error) {
        if (isTraced()) {
            Span span = past("resolve", SpanKind.CLIENT, took)
                    .setAttribute(LOOKED_UP, subject)
                    .startSpan();
            if (error != 0) {
                failed(span, Constants.nameOf("EAI_", error).orElse("other"));
            }
            span.end();
        }
    }

    @Override
    public void decided(String owner, Operation operation, Decision decision) {
        if (isTraced()) {
            Target target = decision.target();
            AttributesBuilder attributes = Attributes.builder()
                    .put(OPERATION, lowerCase(operation))
                    .put(OUTCOME, decision instanceof Decision.Allowed ? "allow" : "deny")
                    .put(CLASS, decision.addressClass().id())
                    .put(RULE, decision.rule())
                    .putAll(peer(target.transport(), target.address()));
            String host = target.host();
            if (host != null) {
                attributes.put(ServerAttributes.SERVER_ADDRESS, host);
            }
            Span.current().addEvent("policy decision", attributes.build());
        }
    }

    @Override
    public void attempted(Handle handle, SockAddr address, Duration took, @Nullable Errno errno) {
        if (isTraced()) {
            Span span = past("connect", SpanKind.CLIENT, took)
                    .setAllAttributes(peer(handle.socket().transport(), address))
                    .startSpan();
            if (errno != null) {
                failed(span, errno.name());
            }
            span.end();
        }
    }

    @Override
    public void streamRequested(Handle handle) {
        if (isTraced()) {
            requested.put(handle, Context.current());
        } else {
            requested.remove(handle);
        }
    }

    @Override
    public void streamOpened(Handle handle, Carrier carrier) {
        Context request = requested.remove(handle);
        if (request != null) {
            streams.put(handle, tracer.spanBuilder("stream").setParent(request).startSpan());
        }
    }

    @Override
    public void streamClosed(Handle handle, Carrier carrier, DetachReason why, long toClient, long fromClient) {
        if (carrier == Carrier.REQUEST) {
            // Its span is the request's.
            describe(Span.current(), why, toClient, fromClient);
            return;
        }
        Span span = streams.remove(handle);
        if (span != null) {
            describe(span, why, toClient, fromClient);
            span.end();
        }
    }

    private static void describe(Span span, DetachReason why, long toClient, long fromClient) {
        span.setAttribute(STREAM_END, lowerCase(why));
        span.setAttribute(TO_CLIENT, toClient);
        span.setAttribute(FROM_CLIENT, fromClient);
        if (why == DetachReason.TARGET_FAILED) {
            failed(span, lowerCase(why));
        }
    }

    @Override
    public void closed(Handle handle, CloseReason why) {
        requested.remove(handle);
    }

    private static boolean isTraced() {
        return Span.current().isRecording();
    }

    /** A child of the request's span, which ends now. */
    private SpanBuilder past(String name, SpanKind kind, Duration took) {
        return tracer.spanBuilder(name)
                .setSpanKind(kind)
                .setStartTimestamp(Instant.now().minus(took));
    }

    private static void failed(Span span, String error) {
        span.setAttribute(ErrorAttributes.ERROR_TYPE, error);
        span.setStatus(StatusCode.ERROR);
    }

    private static Attributes peer(Transport transport, SockAddr address) {
        AttributesBuilder attributes = Attributes.builder()
                .put(NetworkAttributes.NETWORK_TRANSPORT, transport.isUnix() ? "unix" : lowerCase(transport))
                .put(NetworkAttributes.NETWORK_PEER_ADDRESS, InetText.host(address));
        switch (address) {
            case SockAddr.Inet4 inet -> attributes.put(NetworkAttributes.NETWORK_PEER_PORT, inet.port());
            case SockAddr.Inet6 inet -> attributes.put(NetworkAttributes.NETWORK_PEER_PORT, inet.port());
            case SockAddr.Unix unix -> {}
        }
        return attributes.build();
    }

    private static String lowerCase(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
