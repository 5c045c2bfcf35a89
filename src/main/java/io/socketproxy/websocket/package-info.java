/** RFC 6455's server side on a wire: handshake, frames and connection, and the place where Tomcat lets go. */
@NullMarked
package io.socketproxy.websocket;

import org.jspecify.annotations.NullMarked;
