/** Handles: sockets by unguessable id, each with its owner and lease, and every use of them, under policy and quotas. */
@NullMarked
package io.socketproxy.registry;

import org.jspecify.annotations.NullMarked;
