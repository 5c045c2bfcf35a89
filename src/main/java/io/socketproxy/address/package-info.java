/** Names and addresses: getaddrinfo and its kin, the text forms of addresses, and the errors of name resolution. */
@NullMarked
package io.socketproxy.address;

import org.jspecify.annotations.NullMarked;
