/** What TLS on a socket has for calls. */
@NullMarked
package io.socketproxy.relay.tls;

import org.jspecify.annotations.NullMarked;
