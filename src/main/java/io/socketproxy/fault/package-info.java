/** What a socket's call can fail with: the errno, and what it means there and then, in words. */
@NullMarked
package io.socketproxy.fault;

import org.jspecify.annotations.NullMarked;
