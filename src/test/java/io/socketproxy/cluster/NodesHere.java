package io.socketproxy.cluster;

import io.socketproxy.testing.Eventually;
import io.socketproxy.testing.RedisServer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** A store, and the nodes n1, n2 and so on that share it, in this process. A test that has them is skipped where there is no store. */
final class NodesHere implements AutoCloseable {
    private final RedisServer store;
    private final List<NodeHere> all = new ArrayList<>();

    private NodesHere(RedisServer store) {
        this.store = store;
    }

    /** Nodes that know each other, with the same properties. */
    static NodesHere start(int count, String... properties) throws Exception {
        NodesHere nodes = new NodesHere(RedisServer.start());
        try {
            for (int i = 1; i <= count; i++) {
                nodes.all.add(NodeHere.start("n" + i, nodes.store, properties));
            }
            nodes.knowEachOther();
            return nodes;
        } catch (RuntimeException | Error e) {
            nodes.close();
            throw e;
        }
    }

    /** Waits until they do, and know nobody else, with a store that is there. */
    void knowEachOther() {
        Eventually.is(
                "all nodes know each other",
                () -> all.stream()
                        .allMatch(node -> !node.bean(Store.class).isAway()
                                && node.bean(Nodes.class).count() == all.size()));
    }

    RedisServer store() {
        return store;
    }

    List<NodeHere> all() {
        return all;
    }

    @Override
    public void close() throws IOException {
        all.reversed().forEach(NodeHere::close);
        store.close();
    }
}
