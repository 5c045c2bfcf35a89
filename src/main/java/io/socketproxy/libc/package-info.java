/**
 * The C library and the kernel, called by {@link java.lang.foreign}: descriptors, socket addresses, names and numbers.
 *
 * <p>Calls answer in the kernel's own style, the result or a negated errno, and never block: every descriptor made here is
 * non-blocking and close-on-exec. The exceptions are the resolver's calls, which say so. The lowest floor: nothing but the JDK.
 */
@NullMarked
package io.socketproxy.libc;

import org.jspecify.annotations.NullMarked;
