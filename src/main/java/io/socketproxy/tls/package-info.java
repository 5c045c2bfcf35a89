/** TLS to targets: what is asked, what was agreed on, what failed, and whom to trust. */
@NullMarked
package io.socketproxy.tls;

import org.jspecify.annotations.NullMarked;
