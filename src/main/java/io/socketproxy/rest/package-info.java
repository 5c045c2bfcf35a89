/** The REST interface: one endpoint a call, and every error a problem with its errno. */
@NullMarked
package io.socketproxy.rest;

import org.jspecify.annotations.NullMarked;
