/** What one owner, and all together, may have open and begin: counted against the limits, with what a refusal says. */
@NullMarked
package io.socketproxy.quota;

import org.jspecify.annotations.NullMarked;
