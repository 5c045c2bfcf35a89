/** Pipes of bytes on an event loop, whatever is at their ends, and what descriptors have in common there. */
@NullMarked
package io.socketproxy.wire;

import org.jspecify.annotations.NullMarked;
