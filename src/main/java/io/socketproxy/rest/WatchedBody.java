package io.socketproxy.rest;

import jakarta.servlet.ReadListener;
import jakarta.servlet.ServletInputStream;
import java.io.IOException;

/** A request's body, of which somebody is told what is read. */
abstract class WatchedBody extends ServletInputStream {
    private final ServletInputStream body;

    WatchedBody(ServletInputStream body) {
        this.body = body;
    }

    /**
     * So much was read.
     *
     * @param bytes 0 at the end
     * @param nanos for how long they were waited for
     * @throws IOException where that is to be the end of it
     */
    abstract void took(int bytes, long nanos) throws IOException;

    @Override
    public int read() throws IOException {
        long begin = System.nanoTime();
        int next = body.read();
        took(next < 0 ? 0 : 1, System.nanoTime() - begin);
        return next;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
        long begin = System.nanoTime();
        int read = body.read(buffer, offset, length);
        took(Math.max(read, 0), System.nanoTime() - begin);
        return read;
    }

    @Override
    public boolean isFinished() {
        return body.isFinished();
    }

    @Override
    public boolean isReady() {
        return body.isReady();
    }

    @Override
    public void setReadListener(ReadListener listener) {
        body.setReadListener(listener);
    }
}
