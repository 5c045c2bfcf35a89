/** Bytes by HTTP: receiving and sending, in one call or for as long as they flow. */
@NullMarked
package io.socketproxy.rest.bytes;

import org.jspecify.annotations.NullMarked;
