/** Several addresses of one name, tried beside each other. */
@NullMarked
package io.socketproxy.registry.race;

import org.jspecify.annotations.NullMarked;
