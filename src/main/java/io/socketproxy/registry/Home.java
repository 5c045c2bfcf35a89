package io.socketproxy.registry;

import org.jspecify.annotations.Nullable;

/**
 * The node that makes handles.
 *
 * @param node its name, in front of theirs; null for the only one
 * @param advertisedHost where clients reach the ports that their sockets are bound to; null where nobody says
 * @param elsewhere where those are that others have made
 */
public record Home(@Nullable NodeName node, @Nullable String advertisedHost, Elsewhere elsewhere) {
    /** The only node. */
    public static final Home ALONE = new Home(null, null, Elsewhere.NOWHERE);
}
