/**
 * A BSD socket on a real descriptor: its calls in blocking and non-blocking form, waiting without blocked threads, the options
 * and flags that a remote caller may use, and the fault that every failed call becomes.
 */
@NullMarked
package io.socketproxy.socket;

import org.jspecify.annotations.NullMarked;
