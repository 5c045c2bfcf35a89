package io.socketproxy.rest;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.socketproxy.cluster.Asked;
import io.socketproxy.cluster.Asked.Outcome;
import io.socketproxy.cluster.Node;
import io.socketproxy.cluster.Peers;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.overload.Room;
import io.socketproxy.registry.Handle;
import io.socketproxy.registry.Place;
import io.socketproxy.registry.Sockets;
import io.socketproxy.security.Owner;
import io.swagger.v3.oas.annotations.media.ArraySchema;
import io.swagger.v3.oas.annotations.media.Schema;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.stereotype.Component;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** An owner's handles, oldest first, a page at a time: this node's and, unless it is another node that asks, those of all others. */
@Component
class SocketPages {
    /** How long the other nodes may take. */
    private static final Duration WITHIN = Duration.ofSeconds(2);

    /** What a handle takes of another node's page. */
    private static final long BYTES_EACH = 2048;

    private final Sockets sockets;
    private final ObjectProvider<Peers> peers;

    SocketPages(Sockets sockets, ObjectProvider<Peers> peers) {
        this.sockets = sockets;
        this.peers = peers;
    }

    @JsonInclude(JsonInclude.Include.NON_NULL)
    record PageJson(
            @ArraySchema(schema = @Schema(implementation = SocketJson.class))
            List<Object> sockets,

            @Nullable String nextCursor,
            String owner,
            boolean draining,
            @Nullable List<String> unavailableNodes) {}

    private record Entry(Place place, Object json) {}

    /** A page while it is made. */
    private static final class Page {
        final List<Entry> entries = new ArrayList<>();
        final List<String> unavailable = new ArrayList<>();

        /** Behind it there are handles of which nothing is known yet; null for none. */
        @Nullable
        Place known;

        void knownUntil(Place last) {
            if (known == null || last.compareTo(known) < 0) {
                known = last;
            }
        }

        PageJson json(int limit, String owner, boolean draining) {
            Place known = this.known;
            List<Entry> page = entries.stream()
                    .filter(entry -> known == null || entry.place().compareTo(known) <= 0)
                    .sorted(Comparator.comparing(Entry::place))
                    .toList();
            Place end = known;
            if (page.size() > limit) {
                page = page.subList(0, limit);
                end = page.getLast().place();
            }
            return new PageJson(
                    page.stream().map(Entry::json).toList(),
                    end == null ? null : end.toString(),
                    owner,
                    draining,
                    unavailable.isEmpty() ? null : unavailable);
        }
    }

    /**
     * A page of the owner's.
     *
     * @param room where what other nodes answer is counted
     */
    PageJson page(String owner, @Nullable String cursor, int limit, Room room) {
        Place after = after(cursor);
        List<Asked> asked = askOthers(owner, cursor, limit, room);
        try {
            Page page = new Page();
            addOwn(sockets.list(owner, after, limit), page);
            asked.forEach(other -> add(other, page));
            return page.json(limit, owner, sockets.isDraining());
        } finally {
            asked.forEach(Asked::close);
        }
    }

    private List<Asked> askOthers(String owner, @Nullable String cursor, int limit, Room room) {
        Peers all = Owner.currentIsNode() ? null : peers.getIfAvailable();
        if (all == null) {
            return List.of();
        }
        String path = "/api/v1/sockets?limit=" + limit + (cursor == null ? "" : "&cursor=" + cursor);
        List<Node> others = all.others();
        room.take(BYTES_EACH * limit * others.size());
        return others.stream().map(node -> all.get(node, owner, path, WITHIN)).toList();
    }

    private static void addOwn(Sockets.Page own, Page page) {
        for (Handle handle : own.handles()) {
            try {
                page.entries.add(new Entry(Place.of(handle), SocketJson.of(handle)));
            } catch (SocketFault closed) {
                // One that is closed while the page is made is not part of it.
            }
        }
        if (own.more()) {
            page.knownUntil(Place.of(own.handles().getLast()));
        }
    }

    /** One that is gone has no handles; one that does not answer is named. */
    private static void add(Asked other, Page page) {
        Outcome outcome = other.outcome();
        if (outcome instanceof Outcome.Silent) {
            page.unavailable.add(other.node().name().value());
        }
        if (!(outcome instanceof Outcome.Answered(JsonNode json))) {
            return;
        }
        for (JsonNode socket : json.path("sockets")) {
            String id = socket.path("id").asString("");
            Place place = Place.of(id, Instant.parse(socket.path("createdAt").asString("")));
            // The paths are those that this request came by, and not those of the one to the other node.
            ((ObjectNode) socket).putPOJO("links", SocketJson.links(HandlePaths.of(id)));
            page.entries.add(new Entry(place, socket));
        }
        Place last = Place.parse(json.path("nextCursor").asString(""));
        if (last != null) {
            page.knownUntil(last);
        }
    }

    private static Place after(@Nullable String cursor) {
        Place place = cursor == null || cursor.isEmpty() ? Place.START : Place.parse(cursor);
        if (place == null) {
            throw SocketFault.invalid("cursor", "cursor must be the nextCursor of the page before.");
        }
        return place;
    }
}
