/**
 * A BSD socket on a real descriptor: its calls in blocking and non-blocking form, waiting without blocked threads, and the options
 * and flags that a remote caller may use.
 */
@NullMarked
package io.socketproxy.socket;

import org.jspecify.annotations.NullMarked;
