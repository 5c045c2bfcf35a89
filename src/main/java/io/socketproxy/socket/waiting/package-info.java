/** Waiting in order: for one's turn, and for a descriptor. */
@NullMarked
package io.socketproxy.socket.waiting;

import org.jspecify.annotations.NullMarked;
