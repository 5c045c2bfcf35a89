/** Several nodes behind one address: who there is, and what they have in common, in a store and by asking each other. */
@NullMarked
package io.socketproxy.cluster;

import org.jspecify.annotations.NullMarked;
