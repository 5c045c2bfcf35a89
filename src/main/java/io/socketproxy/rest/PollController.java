package io.socketproxy.rest;

import io.socketproxy.cluster.PollAcross;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.http.JsonBodies;
import io.socketproxy.http.Timeouts;
import io.socketproxy.http.UnfitValue;
import io.socketproxy.libc.Constants;
import io.socketproxy.registry.Sockets;
import io.socketproxy.security.Owner;
import io.socketproxy.socket.Deadline;
import jakarta.servlet.http.HttpServletRequest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.DatabindException;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.ValueDeserializer;
import tools.jackson.databind.annotation.JsonDeserialize;

/** Which handles have something: poll(2). */
@RestController
@RequestMapping("/api/v1/sockets")
class PollController {
    private static final int MAX_POLL = 10_000;

    /** What so many entries take. */
    private static final int MAX_JSON = 2_097_152;

    private static final String[] POLL_NAMES = {
        "POLLIN",
        "POLLPRI",
        "POLLOUT",
        "POLLERR",
        "POLLHUP",
        "POLLNVAL",
        "POLLRDNORM",
        "POLLRDBAND",
        "POLLWRNORM",
        "POLLWRBAND",
        "POLLRDHUP"
    };
    private static final int POLL_EVENTS = pollNumbers();

    private static int pollNumbers() {
        int all = 0;
        for (String name : POLL_NAMES) {
            all |= Constants.require(name);
        }
        return all;
    }

    private final Sockets sockets;
    private final ObjectProvider<PollAcross> across;
    private final Timeouts timeouts;

    PollController(Sockets sockets, ObjectProvider<PollAcross> across, Timeouts timeouts) {
        this.sockets = sockets;
        this.across = across;
        this.timeouts = timeouts;
    }

    /** Of {@value #MAX_POLL} entries at most. */
    @JsonBodies.AtMost(MAX_JSON)
    record PollRequest(
            @JsonDeserialize(using = PollEntries.class) @Nullable
            List<PollEntry> sockets,

            @Nullable Long timeoutMs) {}

    /** The entries of a poll, counted while they are read. */
    static final class PollEntries extends ValueDeserializer<List<PollEntry>> {
        @Override
        public List<PollEntry> deserialize(JsonParser json, DeserializationContext context) {
            if (!json.isExpectedStartArrayToken()) {
                throw new UnfitValue(json, "must be an array of {id, events}");
            }
            List<PollEntry> entries = new ArrayList<>();
            while (json.nextToken() != JsonToken.END_ARRAY) {
                if (entries.size() == MAX_POLL) {
                    throw SocketFault.invalid("sockets", "One poll is of " + MAX_POLL + " sockets at most.");
                }
                try {
                    entries.add(json.hasToken(JsonToken.VALUE_NULL) ? null : context.readValue(json, PollEntry.class));
                } catch (JacksonException e) {
                    throw DatabindException.wrapWithPath(e, new JacksonException.Reference(entries, entries.size()));
                }
            }
            return entries;
        }
    }

    record PollEntry(@Nullable String id, @Nullable Constant events) {}

    record PollJson(List<ReadyJson> ready) {}

    record ReadyJson(String id, List<String> revents) {}

    @PostMapping(path = "/poll", produces = MediaType.APPLICATION_JSON_VALUE)
    PollJson poll(Owner owner, @RequestBody PollRequest body, HttpServletRequest http) {
        if (body.sockets() == null) {
            throw SocketFault.invalid("sockets", "sockets is missing. Give an array of {id, events}.");
        }
        List<Sockets.Interest> interests = new ArrayList<>();
        Map<Constant, Integer> known = new HashMap<>();
        for (PollEntry entry : body.sockets()) {
            int index = interests.size();
            if (entry == null || entry.id() == null) {
                throw SocketFault.invalid("sockets[" + index + "].id", "id is missing. Give a socket's.");
            }
            int events = entry.events() == null
                    ? Constants.POLLIN
                    : known.computeIfAbsent(
                            entry.events(),
                            given -> Constant.numberOr(
                                    given, Constants.POLLIN, "sockets[" + index + "].events", "POLL"));
            interests.add(new Sockets.Interest(entry.id(), events & POLL_EVENTS));
        }
        Deadline deadline = timeouts.of(body.timeoutMs(), http);
        PollAcross nodes = Owner.currentIsNode() ? null : across.getIfAvailable();
        int[] revents = nodes == null
                ? sockets.poll(owner.name(), interests, deadline)
                : nodes.poll(owner.name(), interests, deadline);
        List<ReadyJson> ready = new ArrayList<>();
        for (int i = 0; i < revents.length; i++) {
            if (revents[i] != 0) {
                ready.add(new ReadyJson(interests.get(i).id(), pollNames(revents[i])));
            }
        }
        return new PollJson(ready);
    }

    private static List<String> pollNames(int revents) {
        List<String> names = new ArrayList<>();
        for (String name : POLL_NAMES) {
            if ((revents & Constants.require(name)) != 0) {
                names.add(name);
            }
        }
        return names;
    }
}
