/** What every HTTP request goes through, whoever answers it: bodies, arguments, calls in flight, the path's prefix, problems. */
@NullMarked
package io.socketproxy.http;

import org.jspecify.annotations.NullMarked;
