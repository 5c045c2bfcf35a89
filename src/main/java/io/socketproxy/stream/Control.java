package io.socketproxy.stream;

import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.registry.Handle;
import io.socketproxy.relay.SocketEnd;
import io.socketproxy.tls.TlsFailure;
import io.socketproxy.tls.TlsRequest;
import io.socketproxy.tls.TlsSession;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The control messages of {@code socket-proxy.v1}; see openapi/asyncapi.yaml. */
final class Control {
    static final String EOF = "{\"type\":\"eof\"}";
    static final String CLOSING = "{\"type\":\"closing\"}";

    private static final TypeReference<Map<String, Object>> FIELDS = new TypeReference<>() {};

    private final JsonMapper mapper;
    private final StreamViews views;

    Control(JsonMapper mapper, StreamViews views) {
        this.mapper = mapper;
        this.views = views;
    }

    /** What a client says. */
    sealed interface Message {}

    /** @param how SHUT_RD, SHUT_WR or SHUT_RDWR */
    record Shutdown(int how) implements Message {}

    /** @param received bytes, from the socket's beginning; of a listening socket connections, from the attachment's */
    record Ack(long received) implements Message {}

    record Close() implements Message {}

    record StartTls(TlsRequest request) implements Message {}

    /**
     * Reads a client's message.
     *
     * @throws SocketFault EINVAL that says what is wrong
     */
    Message parse(String text) {
        JsonNode message;
        try {
            message = mapper.readTree(text);
        } catch (JacksonException e) {
            throw SocketFault.invalid("type", "A text message is one JSON object. Send data in binary messages.");
        }
        if (!message.isObject() || !message.path("type").isString()) {
            throw SocketFault.invalid(
                    "type", "A text message is a JSON object with a type. Send data in binary messages.");
        }
        String type = message.path("type").stringValue();
        return switch (type) {
            case "shutdown" -> new Shutdown(how(message.path("how")));
            case "ack" -> new Ack(received(message.path("received")));
            case "close" -> new Close();
            case "starttls" -> new StartTls(StartTlsMessage.read(message));
            default ->
                throw SocketFault.invalid(
                        "type", "Unknown type \"" + shortened(type) + "\". Known are: shutdown, ack, starttls, close.");
        };
    }

    private static int how(JsonNode how) {
        if (how.isString()) {
            switch (how.stringValue()) {
                case "SHUT_RD" -> {
                    return Constants.SHUT_RD;
                }
                case "SHUT_WR" -> {
                    return Constants.SHUT_WR;
                }
                case "SHUT_RDWR" -> {
                    return Constants.SHUT_RDWR;
                }
                default -> {
                    // Said below.
                }
            }
        } else if (how.isInt() && how.intValue() >= Constants.SHUT_RD && how.intValue() <= Constants.SHUT_RDWR) {
            return how.intValue();
        }
        throw SocketFault.invalid("how", "how must be SHUT_RD, SHUT_WR or SHUT_RDWR, or 0, 1 or 2.");
    }

    private static long received(JsonNode received) {
        if (received.isIntegralNumber() && received.canConvertToLong() && received.longValue() >= 0) {
            return received.longValue();
        }
        throw SocketFault.invalid("received", "received must be a number of bytes or connections, 0 or more.");
    }

    private static String shortened(String text) {
        return text.length() <= 100 ? text : text.substring(0, 100) + "…";
    }

    /** @param credit the client's; -1 for none */
    String attached(Handle handle, SocketEnd end, long credit) {
        Map<String, Object> message = message("attached");
        message.put("socket", views.socket(handle));
        message.put("sent", end.sent());
        message.put("received", end.received());
        if (credit >= 0) {
            message.put("credit", credit);
        }
        if (end.hasEof()) {
            message.put("eof", true);
        }
        if (end.isShut()) {
            message.put("shut", "SHUT_WR");
        }
        return mapper.writeValueAsString(message);
    }

    String accepted(Handle connection, SockAddr peer) {
        Map<String, Object> message = message("accepted");
        message.put("socket", views.socket(connection));
        message.put("address", views.address(peer));
        return mapper.writeValueAsString(message);
    }

    String tls(TlsSession session) {
        Map<String, Object> message = message("tls");
        message.putAll(mapper.convertValue(views.tls(session), FIELDS));
        return mapper.writeValueAsString(message);
    }

    /** Of a fault. */
    String error(SocketFault fault) {
        Map<String, Object> message = errorMessage(fault.errno(), fault.getMessage());
        if (fault instanceof TlsFailure failure) {
            message.put("tlsReason", failure.reason());
            if (failure.alert() != null) {
                message.put("tlsAlert", failure.alert());
            }
        }
        return mapper.writeValueAsString(message);
    }

    String error(Errno errno, String detail) {
        return mapper.writeValueAsString(errorMessage(errno, detail));
    }

    private static Map<String, Object> errorMessage(Errno errno, String detail) {
        Map<String, Object> message = message("error");
        message.put("errno", errno.name());
        message.put("errnoCode", errno.number());
        message.put("strerror", errno.strerror());
        message.put("detail", detail);
        return message;
    }

    static String ack(long received, long credit) {
        return "{\"type\":\"ack\",\"received\":" + received + ",\"credit\":" + credit + "}";
    }

    private static Map<String, Object> message(String type) {
        Map<String, Object> message = new LinkedHashMap<>();
        message.put("type", type);
        return message;
    }
}
