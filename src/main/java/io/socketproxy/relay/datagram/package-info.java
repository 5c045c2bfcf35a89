/** Datagrams with their addresses. */
@NullMarked
package io.socketproxy.relay.datagram;

import org.jspecify.annotations.NullMarked;
