package io.socketproxy.stream;

import io.socketproxy.fault.SocketFault;
import io.socketproxy.tls.TlsRequest;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** What the control message {@code starttls} asks for. */
final class StartTlsMessage {
    private StartTlsMessage() {}

    /** @throws SocketFault EINVAL that names the field */
    static TlsRequest read(JsonNode message) {
        JsonNode verify = message.path("verify");
        if (!isAbsent(verify) && !verify.isBoolean()) {
            throw SocketFault.invalid("verify", "verify must be true or false.");
        }
        return new TlsRequest(
                text(message, "serverName"),
                alpn(message.path("alpn")),
                isAbsent(verify) || verify.booleanValue(),
                text(message, "ca"),
                text(message, "certificate"),
                text(message, "key"));
    }

    private static boolean isAbsent(JsonNode value) {
        return value.isMissingNode() || value.isNull();
    }

    private static @Nullable String text(JsonNode message, String field) {
        JsonNode value = message.path(field);
        if (isAbsent(value)) {
            return null;
        }
        if (!value.isString()) {
            throw SocketFault.invalid(field, field + " must be text.");
        }
        return value.stringValue();
    }

    private static List<String> alpn(JsonNode names) {
        if (isAbsent(names)) {
            return List.of();
        }
        List<String> protocols = new ArrayList<>();
        for (JsonNode name : names) {
            if (!name.isString()) {
                throw SocketFault.invalid("alpn", "alpn must be a list of names of protocols.");
            }
            protocols.add(name.stringValue());
        }
        if (!names.isArray()) {
            throw SocketFault.invalid("alpn", "alpn must be a list of names of protocols.");
        }
        return protocols;
    }
}
