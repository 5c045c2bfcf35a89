/** Pipes of bytes on an event loop, whatever is at their ends: a connected descriptor, or what a decorator makes of another wire. */
@NullMarked
package io.socketproxy.wire;

import org.jspecify.annotations.NullMarked;
