package io.socketproxy.stream;

import io.socketproxy.libc.SockAddr;
import io.socketproxy.registry.Handle;

/** How handles and addresses look as JSON, the same on streams as over HTTP. */
public interface StreamViews {
    /** The handle, as something that the JSON mapper writes. */
    Object socket(Handle handle);

    /** The address, as {@link #socket}. */
    Object address(SockAddr address);
}
