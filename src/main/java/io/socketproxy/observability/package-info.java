/** What operators see of the service: the log of decisions, metrics and health. */
@NullMarked
package io.socketproxy.observability;

import org.jspecify.annotations.NullMarked;
