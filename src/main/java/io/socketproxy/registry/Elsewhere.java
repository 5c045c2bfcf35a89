package io.socketproxy.registry;

/** Where the handles are that other nodes have made. */
@FunctionalInterface
public interface Elsewhere {
    /** There are no other nodes. */
    Elsewhere NOWHERE = node -> State.THIS;

    /** What a node is, for one that is asked for its handle. */
    enum State {
        /** The one that is asked: there are no others, or it is not another's name. */
        THIS,
        /** Another one that answers. */
        LIVES,
        /** Another one of which nobody can tell whether it is still there: it does not answer. */
        SILENT,
        /** No node; its handles have ended with it. */
        GONE
    }

    /** What the node of this name is. May wait for a moment, and so not for an event loop. */
    State find(NodeName name);
}
