/** Bytes in the process's own hands: gathered, put back, searched for their delimiter. */
@NullMarked
package io.socketproxy.socket.bytes;

import org.jspecify.annotations.NullMarked;
