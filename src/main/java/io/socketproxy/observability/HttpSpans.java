package io.socketproxy.observability;

import io.micrometer.common.KeyValue;
import io.micrometer.observation.Observation;
import io.micrometer.tracing.Span;
import io.micrometer.tracing.Tracer;
import io.micrometer.tracing.exporter.FinishedSpan;
import io.micrometer.tracing.exporter.SpanExportingPredicate;
import io.micrometer.tracing.handler.PropagatingReceiverTracingObservationHandler;
import io.micrometer.tracing.otel.bridge.OtelSpan;
import io.micrometer.tracing.propagation.Propagator;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.semconv.HttpAttributes;
import jakarta.servlet.http.HttpServletResponse;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.micrometer.tracing.autoconfigure.MicrometerTracingAutoConfiguration;
import org.springframework.core.annotation.Order;
import org.springframework.http.server.observation.ServerRequestObservationContext;
import org.springframework.stereotype.Component;

/**
 * The span of an HTTP request: its method, its route and the answer's status, and nothing else.
 *
 * <p>In place of Spring Boot's, which tells the path, where the ids of handles are, and the messages of exceptions, which may hold
 * what the caller sent.
 */
@Component
@ConditionalOnBooleanProperty(TracingSwitch.PROPERTY)
@Order(MicrometerTracingAutoConfiguration.RECEIVER_TRACING_OBSERVATION_HANDLER_ORDER)
class HttpSpans extends PropagatingReceiverTracingObservationHandler<ServerRequestObservationContext> {

    HttpSpans(Tracer tracer, Propagator propagator) {
        super(tracer, propagator);
    }

    @Override
    public boolean supportsContext(Observation.Context context) {
        return context instanceof ServerRequestObservationContext;
    }

    @Override
    public void onError(ServerRequestObservationContext context) {
        // The status tells enough.
    }

    @Override
    public void onStop(ServerRequestObservationContext context) {
        Span span = getRequiredSpan(context);
        // Spring's name for it, which is UNKNOWN for one that a client made up.
        KeyValue known = context.getLowCardinalityKeyValue("method");
        String method = known == null ? "UNKNOWN" : known.getValue();
        String route = context.getPathPattern();
        span.name(route == null ? method : method + " " + route);
        span.tag(HttpAttributes.HTTP_REQUEST_METHOD.getKey(), method);
        if (route != null) {
            span.tag(HttpAttributes.HTTP_ROUTE.getKey(), route);
        }
        HttpServletResponse response = context.getResponse();
        if (response != null) {
            span.tag(HttpAttributes.HTTP_RESPONSE_STATUS_CODE.getKey(), response.getStatus());
            if (response.getStatus() >= 500) {
                OtelSpan.toOtel(span).setStatus(StatusCode.ERROR);
            }
        }
        endSpan(context, span);
    }

    /** Whoever asks for health or metrics asks every few seconds, and nobody wants to know. */
    @Component
    @ConditionalOnBooleanProperty(TracingSwitch.PROPERTY)
    static class WithoutActuator implements SpanExportingPredicate {
        @Override
        public boolean isExportable(FinishedSpan span) {
            String route = span.getTags().get(HttpAttributes.HTTP_ROUTE.getKey());
            return route == null || !route.startsWith("/actuator");
        }
    }
}
