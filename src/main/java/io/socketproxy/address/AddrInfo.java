package io.socketproxy.address;

import io.socketproxy.libc.SockAddr;
import org.jspecify.annotations.Nullable;

/**
 * One answer of getaddrinfo(3).
 *
 * @param canonname the canonical name, on the first answer where AI_CANONNAME asked for it
 */
public record AddrInfo(
        int family, int type, int proto, @Nullable String canonname, SockAddr address) {}
