package io.socketproxy.cluster;

import io.socketproxy.fault.Unavailable;
import io.socketproxy.registry.Elsewhere;
import io.socketproxy.registry.NodeName;

/** Which of the other nodes are there, at this moment: one that was killed is gone before its lease has run out. */
final class OtherNodes implements Elsewhere {
    private final NodeName self;
    private final Nodes nodes;
    private final Peers peers;

    OtherNodes(NodeName self, Nodes nodes, Peers peers) {
        this.self = self;
        this.nodes = nodes;
        this.peers = peers;
    }

    @Override
    public State find(NodeName name) {
        if (name.equals(self)) {
            return State.THIS;
        }
        try {
            Node node = nodes.seek(name);
            return node == null ? State.GONE : peers.state(node);
        } catch (Unavailable away) {
            // Perhaps one that has come since.
            return State.SILENT;
        }
    }
}
