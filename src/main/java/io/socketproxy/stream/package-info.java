/** The client's side: the connection behind an HTTP request, and sockets on WebSockets. */
@NullMarked
package io.socketproxy.stream;

import org.jspecify.annotations.NullMarked;
