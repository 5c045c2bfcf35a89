/** The service's entry point; everything else is in the packages below, each of which sees only those on lower floors. */
@NullMarked
package io.socketproxy;

import org.jspecify.annotations.NullMarked;
