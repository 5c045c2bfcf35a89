package io.socketproxy.rest;

import io.socketproxy.http.PathPrefix;
import io.socketproxy.registry.Handle;
import io.socketproxy.registry.SocketEvents;
import org.springframework.stereotype.Component;

/**
 * Where handles are, for who is told of them.
 *
 * <p>What is told on a stream is told outside of any request: there the prefix is that of the request that asked for the stream.
 */
@Component
class HandlePaths implements SocketEvents {
    private static final String SOCKETS = "/api/v1/sockets/";

    /** The handle's path, below the prefix of the request which this thread answers, or else by which its owner came last. */
    static String of(Handle handle) {
        return prefix(handle) + SOCKETS + handle.id();
    }

    /** The path of the handle with this id, below the prefix of the request which this thread answers. */
    static String of(String id) {
        return PathPrefix.current() + SOCKETS + id;
    }

    private static String prefix(Handle handle) {
        String prefix = PathPrefix.ofRequest();
        return prefix == null ? handle.pathPrefix() : prefix;
    }

    @Override
    public void streamRequested(Handle handle) {
        handle.pathPrefix(PathPrefix.current());
    }

    @Override
    public void accepted(Handle listener, Handle handle) {
        handle.pathPrefix(prefix(listener));
    }
}
