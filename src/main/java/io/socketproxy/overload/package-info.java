/** What can run out, who holds how much of it, and what is turned away before it does. */
@NullMarked
package io.socketproxy.overload;

import org.jspecify.annotations.NullMarked;
