package io.socketproxy.socket;

/** Somebody is to be told of something, until this is closed. */
public interface Subscription extends AutoCloseable {
    @Override
    void close();
}
