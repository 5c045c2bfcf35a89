package io.socketproxy.cluster;

import static io.socketproxy.libc.Constants.POLLERR;
import static io.socketproxy.libc.Constants.POLLHUP;
import static io.socketproxy.libc.Constants.POLLNVAL;

import io.socketproxy.cluster.Asked.Outcome;
import io.socketproxy.fault.Unavailable;
import io.socketproxy.libc.Constants;
import io.socketproxy.registry.NodeName;
import io.socketproxy.registry.SocketId;
import io.socketproxy.registry.Sockets;
import io.socketproxy.socket.Deadline;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** poll(2) over handles of several nodes, each of which is asked for its own. */
public final class PollAcross {
    private static final String PATH = "/api/v1/sockets/poll";

    /** How long a node may take beyond what it is to wait. */
    private static final Duration GRACE = Duration.ofSeconds(2);

    /** Another node waits for so much less than the caller, so that it answers before nobody is there to hear it. */
    private static final Duration EARLIER = Duration.ofMillis(20);

    /** What poll(2) tells unasked. */
    private static final int UNASKED = POLLERR | POLLHUP | POLLNVAL;

    /** How often a wait at another node may break off. */
    private static final int MOST_BROKEN = 3;

    private static final JsonMapper JSON = JsonMapper.shared();

    private final NodeName self;
    private final Nodes nodes;
    private final Peers peers;
    private final Sockets sockets;

    PollAcross(NodeName self, Nodes nodes, Peers peers, Sockets sockets) {
        this.self = self;
        this.nodes = nodes;
        this.peers = peers;
        this.sockets = sockets;
    }

    private record Entry(String id, int events) {}

    private record Request(List<Entry> sockets, long timeoutMs) {}

    /**
     * As {@link Sockets#poll}; a handle of a node that is gone is POLLNVAL.
     *
     * @throws Unavailable where a node does not answer
     */
    public int[] poll(String owner, List<Sockets.Interest> interests, Deadline deadline) {
        Call call = new Call(owner, interests, deadline);
        return call.others.isEmpty() ? sockets.poll(owner, interests, deadline) : call.run();
    }

    /** One call. Confined to its thread. */
    private final class Call {
        private final String owner;
        private final List<Sockets.Interest> interests;
        private final Deadline deadline;

        /** The node of each interest, where it is another one. */
        private final Map<Sockets.Interest, NodeName> makers = new HashMap<>();

        private final List<Sockets.Interest> own = new ArrayList<>();

        /** The events by the handles of each other node. */
        private final Map<NodeName, Map<String, Integer>> others = new LinkedHashMap<>();

        private final Set<NodeName> gone = new HashSet<>();
        private int broken;

        Call(String owner, List<Sockets.Interest> interests, Deadline deadline) {
            this.owner = owner;
            this.interests = interests;
            this.deadline = deadline;
            for (Sockets.Interest interest : interests) {
                NodeName maker = SocketId.maker(interest.id());
                if (maker == null || maker.equals(self)) {
                    own.add(interest);
                } else {
                    makers.put(interest, maker);
                    others.computeIfAbsent(maker, node -> new LinkedHashMap<>())
                            .merge(interest.id(), interest.events(), (some, more) -> some | more);
                }
            }
        }

        int[] run() {
            while (true) {
                int[] revents = look();
                if (Arrays.stream(revents).anyMatch(revent -> revent != 0) || deadline.hasPassed()) {
                    return revents;
                }
                await();
            }
        }

        /** What all have now. */
        private int[] look() {
            Map<String, Integer> found = new HashMap<>();
            List<Asked> asked = ask(Duration.ZERO);
            try {
                int[] ownRevents = sockets.poll(owner, own, Deadline.immediate());
                asked.forEach(part -> collect(part, found));
                int[] revents = new int[interests.size()];
                int nextOwn = 0;
                for (int i = 0; i < revents.length; i++) {
                    Sockets.Interest interest = interests.get(i);
                    NodeName maker = makers.get(interest);
                    if (maker == null) {
                        revents[i] = ownRevents[nextOwn++];
                    } else if (gone.contains(maker)) {
                        revents[i] = POLLNVAL;
                    } else {
                        revents[i] = found.getOrDefault(interest.id(), 0) & (interest.events() | UNASKED);
                    }
                }
                return revents;
            } finally {
                asked.forEach(Asked::close);
            }
        }

        private void collect(Asked part, Map<String, Integer> found) {
            switch (part.outcome()) {
                case Outcome.Answered(JsonNode json) ->
                    json.path("ready")
                            .forEach(ready -> found.put(ready.path("id").asString(""), revents(ready.path("revents"))));
                case Outcome.Gone() -> gone.add(part.node().name());
                case Outcome.Silent() -> throw unavailable(part.node().name());
            }
        }

        /** Asks those of the other nodes that are not gone for their parts. */
        private List<Asked> ask(Duration timeout) {
            Map<Node, byte[]> bodies = new LinkedHashMap<>();
            others.forEach((name, events) -> {
                Node node = gone.contains(name) ? null : nodes.seek(name);
                if (node == null) {
                    gone.add(name);
                } else {
                    bodies.put(node, body(events, timeout));
                }
            });
            List<Asked> asked = new ArrayList<>();
            bodies.forEach((node, body) -> asked.add(peers.post(node, owner, PATH, body, timeout.plus(GRACE))));
            return asked;
        }

        /** Waits until one has something, or may have. */
        private void await() {
            Duration left = deadline.remaining();
            Duration timeout = left.compareTo(EARLIER.multipliedBy(2)) > 0 ? left.minus(EARLIER) : left;
            CompletableFuture<Void> enough = new CompletableFuture<>();
            List<Asked> asked = ask(timeout);
            try {
                if (!gone.isEmpty()) {
                    return;
                }
                asked.forEach(part -> part.whenDone(() -> enough.complete(null)));
                sockets.poll(owner, own, deadline, enough);
                for (Asked part : asked) {
                    if (part.hasFailed() && ++broken > MOST_BROKEN) {
                        throw unavailable(part.node().name());
                    }
                }
            } finally {
                asked.forEach(Asked::close);
            }
        }
    }

    private static byte[] body(Map<String, Integer> events, Duration timeout) {
        List<Entry> entries = new ArrayList<>(events.size());
        events.forEach((id, wanted) -> entries.add(new Entry(id, wanted)));
        return JSON.writeValueAsBytes(new Request(entries, timeout.toMillis()));
    }

    private static int revents(JsonNode names) {
        int revents = 0;
        for (JsonNode name : names) {
            revents |= Constants.require(name.asString(""));
        }
        return revents;
    }

    private static Unavailable unavailable(NodeName node) {
        return new Unavailable(
                "The node " + node
                        + " does not answer, and only it can tell of its sockets. Try again in a moment, or poll those of other nodes.");
    }
}
