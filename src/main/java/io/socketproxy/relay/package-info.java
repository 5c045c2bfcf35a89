/** A socket's side of a relay, whoever is at the other: what protocols attach to. */
@NullMarked
package io.socketproxy.relay;

import org.jspecify.annotations.NullMarked;
