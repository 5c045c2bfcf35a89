package io.socketproxy.rest;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.http.StrictJson;
import io.socketproxy.rest.bytes.SendController;
import java.util.Arrays;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/** Bodies of JSON: read as a request, or refused as no JSON of this kind; nothing else comes of it. */
class BodiesFuzzTest {
    private static final List<Class<? extends Record>> REQUESTS = List.of(
            SocketsController.SocketRequest.class,
            SocketsController.ConnectionRequest.class,
            SocketsController.ListenerRequest.class,
            SocketsController.LeaseRequest.class,
            AddressJson.class,
            SocketsController.ConnectRequest.class,
            SocketsController.ListenRequest.class,
            SocketsController.ShutdownRequest.class,
            SendController.SendRequest.class,
            PollController.PollRequest.class,
            OptionsController.OptionRequest.class,
            PolicyController.ExplainRequest.class);

    private static final JsonMapper MAPPER = mapper();

    private static JsonMapper mapper() {
        JsonMapper.Builder builder = JsonMapper.builder();
        new StrictJson().customize(builder);
        return builder.build();
    }

    /** The first byte says of which kind the body is. */
    @FuzzTest
    void bodies(byte[] input) {
        if (input.length == 0) {
            return;
        }
        Class<? extends Record> type = REQUESTS.get((input[0] & 0xff) % REQUESTS.size());
        Record request;
        try {
            request = MAPPER.readValue(Arrays.copyOfRange(input, 1, input.length), type);
        } catch (JacksonException e) {
            return;
        }
        if (request == null) {
            return;
        }
        try {
            use(request);
        } catch (SocketFault refused) {
            // Answered with 400.
        }
    }

    private static void use(Record request) {
        switch (request) {
            case SocketsController.SocketRequest(var family, var type, var proto, var lease) -> {
                Constant.numberOr(family, 0, "family", "AF_");
                Constant.numberOr(type, 0, "type", "SOCK_");
                Constant.numberOr(proto, 0, "proto", "IPPROTO_");
            }
            case SocketsController.ShutdownRequest(var how) -> Constant.numberOr(how, 0, "how", "SHUT_");
            case SendController.SendRequest send -> send.bytes();
            case PollController.PollRequest(var sockets, var timeout) -> {
                for (PollController.PollEntry entry : sockets == null ? List.<PollController.PollEntry>of() : sockets) {
                    if (entry != null) {
                        Constant.numberOr(entry.events(), 0, "events", "POLL");
                    }
                }
            }
            case AddressJson address -> address.endpoint();
            case SocketsController.ConnectRequest connect -> connect.endpoint();
            case SocketsController.ConnectionRequest connection -> connection.endpoint();
            case SocketsController.ListenerRequest listener -> listener.endpoint();
            default -> {
                // Numbers and text, whatever they are.
            }
        }
    }
}
