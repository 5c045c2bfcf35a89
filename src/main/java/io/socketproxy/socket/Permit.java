package io.socketproxy.socket;

/** Leave for something that there are only so many of, such as an open socket; its owner gives it back by closing it, once. */
public interface Permit extends AutoCloseable {
    @Override
    void close();
}
