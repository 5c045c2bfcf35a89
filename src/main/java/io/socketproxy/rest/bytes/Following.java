package io.socketproxy.rest.bytes;

import io.socketproxy.fault.SocketFault;
import io.socketproxy.frontdoor.OpenExchange;
import io.socketproxy.http.CallsInFlight;
import io.socketproxy.http.Timeouts;
import io.socketproxy.overload.Exhausted;
import io.socketproxy.registry.Handle;
import io.socketproxy.registry.SocketEvents.DetachReason;
import io.socketproxy.registry.Sockets;
import io.socketproxy.socket.BsdSocket;
import io.socketproxy.socket.Caller;
import io.socketproxy.socket.Deadline;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.ResponseEntity;
import org.springframework.stereotype.Component;

/** Answers with a stream's bytes as they come, until its end. */
@Component
class Following {
    private static final Logger LOG = LoggerFactory.getLogger(Following.class);

    private final Sockets sockets;
    private final Timeouts timeouts;

    Following(Sockets sockets, Timeouts timeouts) {
        this.sockets = sockets;
        this.timeouts = timeouts;
    }

    /**
     * Follows a socket.
     *
     * @param timeoutMs how long nothing may come; null for the longest wait that there is
     * @return what is answered where nothing came at all; null where the answer has been given
     * @throws SocketFault what happened before anything came
     */
    @Nullable
    ResponseEntity<?> follow(
            Handle handle,
            Receiving.Wish wish,
            @Nullable Long timeoutMs,
            HttpServletRequest http,
            HttpServletResponse response) {
        Receiving.requireStream(handle, "follow");
        if (wish.form() == Form.JSON || wish.flags() != 0 || wish.size() == 0) {
            throw SocketFault.invalid(
                    "follow",
                    "follow answers with the bytes themselves, without flags and with a bufsize of 1 or more. Accept"
                            + " application/octet-stream or text/plain.");
        }
        handle.requireNoStream();
        Supplier<Deadline> waits =
                () -> timeouts.of(timeoutMs == null ? timeouts.longest().toMillis() : timeoutMs, http);
        try (RequestStream stream = RequestStream.of(sockets, handle);
                OpenExchange exchange = OpenExchange.of(http, timeouts.longest())) {
            FlowingAnswer answer = new FlowingAnswer(http, response, wish.form().type(), stream);
            try {
                boolean eof = handle.socket()
                        .reader()
                        .follow(
                                Math.min(wish.size(), BsdSocket.SENDALL_BYTES),
                                waits,
                                CallsInFlight.room(http),
                                answer);
                // The time is the client's.
                stream.ends(eof ? DetachReason.TARGET_ENDED : DetachReason.CLIENT_CLOSED);
                if (!eof && !answer.hasBegun()) {
                    return ResponseEntity.noContent().build();
                }
                answer.end(eof);
            } catch (SocketFault | Exhausted | Caller.Gone fault) {
                stream.ends(fault);
                if (!answer.hasBegun()) {
                    throw fault;
                }
                LOG.debug("{}: the answer is broken off: {}", handle.id(), fault.getMessage());
                exchange.breakOff();
            } catch (RuntimeException | Error defect) {
                if (answer.hasBegun()) {
                    exchange.breakOff();
                }
                throw defect;
            }
            return null;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
