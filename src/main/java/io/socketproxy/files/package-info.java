/** Files of the operator's, read again when they have changed. */
@NullMarked
package io.socketproxy.files;

import org.jspecify.annotations.NullMarked;
