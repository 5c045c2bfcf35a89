package io.socketproxy.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.lettuce.core.codec.Base16;

/**
 * A script that the store runs as one step; the store knows it by its digest from its first use on.
 *
 * @param name what it does, for metrics
 * @param source in Lua, with an array as its result
 * @param digest SHA-1 of the source, in hexadecimal
 */
record Script(String name, String source, String digest) {
    /** The moment by the store's clock, in milliseconds; the nodes' own differ. */
    static final String NOW = """
            local time = redis.call('TIME')
            local now = time[1] * 1000 + math.floor(time[2] / 1000)
            """;

    static Script of(String name, String source) {
        return new Script(name, source, Base16.digest(source.getBytes(UTF_8)));
    }
}
