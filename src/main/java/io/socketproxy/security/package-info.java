/**
 * Who is calling: the one filter chain that every request passes, its credentials, and the {@link
 * io.socketproxy.security.Owner} that they stand for.
 *
 * <p>A credential is an API token, a JWT of a configured issuer, or, in a WebSocket handshake, a ticket. What an owner may then reach
 * is the business of {@code policy}.
 */
@NullMarked
package io.socketproxy.security;

import org.jspecify.annotations.NullMarked;
