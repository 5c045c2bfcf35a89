/** Where HTTP connections come in: how many there may be, whose, for how long, and what each may hold before its request is known. */
@NullMarked
package io.socketproxy.frontdoor;

import org.jspecify.annotations.NullMarked;
