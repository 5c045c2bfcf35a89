/** One WebSocket, one socket: {@code socket-proxy.v1}, and raw. */
@NullMarked
package io.socketproxy.stream;

import org.jspecify.annotations.NullMarked;
