package io.socketproxy.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import java.nio.ByteBuffer;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * TLS records as they come, RFC 8446 section 5.1, decrypted where they lie: the plaintext of those that came in one read is one piece again.
 * On the wire's loop.
 */
final class Records {
    private static final int HEADER_BYTES = 5;

    /** 2^14 of plaintext and what TLS 1.2 lets go around it. */
    private static final int MAX_FRAGMENT_BYTES = (1 << 14) + 2048;

    private static final int CHANGE_CIPHER_SPEC = 20;
    private static final int APPLICATION_DATA = 23;
    private static final int MAJOR_VERSION = 3;

    private enum Place {
        NOWHERE,
        UNREAD,
        SPLIT,
        INPUT
    }

    private final int headroom;

    /** The beginning of a record, which grows until it is whole. */
    private @Nullable ByteBuf split;

    private @Nullable ByteBuf input;

    /** Plaintext that was there before. */
    private @Nullable ByteBuf unread;

    /** Where records are being decrypted: its plaintext is from here to there. */
    private Place at = Place.NOWHERE;

    private int plainStart;
    private int plainEnd;

    /** Whether the plaintext begins where the buffer did, so that what is free in front of it is nobody's. */
    private boolean fresh;

    /** @param headroom bytes left free in front of plaintext */
    Records(int headroom) {
        this.headroom = headroom;
    }

    /** Takes what was read; only where {@link #hasRecord} has said no. */
    void add(ByteBuf data) {
        if (input != null) {
            data.release();
            throw new IllegalStateException("read before it was wanted");
        }
        input = data;
    }

    /** Puts plaintext in front of all; before anything else. */
    void unread(ByteBuf plain) {
        unread = plain;
        at = Place.UNREAD;
        plainStart = plain.readerIndex();
        plainEnd = plain.writerIndex();
        plain.readerIndex(plainEnd);
    }

    private @Nullable ByteBuf current() {
        return switch (at) {
            case NOWHERE -> null;
            case UNREAD -> unread;
            case SPLIT -> split;
            case INPUT -> input;
        };
    }

    /** Bytes of plaintext that wait to be taken. */
    int plainBytes() {
        return plainEnd - plainStart;
    }

    /** Whether {@link #unwrap} has something to do. Where not, the buffer at hand is done with once its plaintext was taken. */
    boolean hasRecord() {
        if (at == Place.NOWHERE) {
            at = next();
            ByteBuf next = current();
            if (next != null) {
                plainStart = Math.min(headroom, next.readerIndex());
                plainEnd = plainStart;
                fresh = true;
            }
        }
        ByteBuf current = current();
        return current != null && isWhole(current);
    }

    private Place next() {
        ByteBuf begun = split;
        ByteBuf more = input;
        if (more == null) {
            return Place.NOWHERE;
        }
        if (begun == null) {
            if (isWhole(more)) {
                return Place.INPUT;
            }
            input = null;
            keepRest(more);
            more.release();
            return Place.NOWHERE;
        }
        while (more.isReadable() && !isWhole(begun)) {
            int wanted = length(begun) == 0 ? HEADER_BYTES : length(begun);
            begun.writeBytes(more, Math.min(wanted - begun.readableBytes(), more.readableBytes()));
        }
        if (!more.isReadable()) {
            more.release();
            input = null;
        }
        return isWhole(begun) ? Place.SPLIT : Place.NOWHERE;
    }

    private static boolean isWhole(ByteBuf data) {
        int length = length(data);
        return length > 0 && data.readableBytes() >= length;
    }

    /** A record of which not all is there goes into a buffer in which it has room. */
    private void keepRest(ByteBuf from) {
        int length = length(from);
        split = PooledByteBufAllocator.DEFAULT
                .directBuffer(headroom + (length == 0 ? HEADER_BYTES + MAX_FRAGMENT_BYTES : length))
                .setIndex(headroom, headroom)
                .writeBytes(from);
    }

    /** The length of the record that begins here; 0 while not even its header is there. What is none is all there is: the engine will say so. */
    private static int length(ByteBuf data) {
        if (data.readableBytes() < HEADER_BYTES) {
            return 0;
        }
        int at = data.readerIndex();
        int type = data.getUnsignedByte(at);
        int fragment = data.getUnsignedShort(at + 3);
        boolean isRecord = type >= CHANGE_CIPHER_SPEC
                && type <= APPLICATION_DATA
                && data.getUnsignedByte(at + 1) == MAJOR_VERSION
                && fragment <= MAX_FRAGMENT_BYTES;
        return isRecord ? HEADER_BYTES + fragment : data.readableBytes();
    }

    /** Decrypts the next record; only where there is one. */
    SSLEngineResult unwrap(SSLEngine engine) throws SSLException {
        ByteBuf from = current();
        if (from == null) {
            throw new IllegalStateException("no record");
        }
        int start = from.readerIndex();
        int end = start + length(from);
        ByteBuffer record = from.nioBuffer(start, end - start);
        // Behind the plaintext before, which is never longer than the records that it was.
        SSLEngineResult result = engine.unwrap(record, from.nioBuffer(plainEnd, end - plainEnd));
        from.readerIndex(start + result.bytesConsumed());
        plainEnd += result.bytesProduced();
        return result;
    }

    /** Takes plaintext, at most so much; null for none. The buffer becomes the caller's. */
    @Nullable
    ByteBuf take(int most) {
        ByteBuf from = current();
        if (from == null) {
            return null;
        }
        int start = plainStart;
        int length = Math.min(most, plainBytes());
        if (length < plainBytes() || isWhole(from)) {
            plainStart += length;
            fresh &= length == 0;
            return length == 0 ? null : from.retainedSlice(start, length);
        }
        finish(from);
        if (length > 0 && fresh) {
            return from.setIndex(start, start + length);
        }
        ByteBuf taken = length == 0 ? null : from.retainedSlice(start, length);
        from.release();
        return taken;
    }

    /** No whole record is left in the buffer, which is about to be given away. */
    private void finish(ByteBuf done) {
        switch (at) {
            case UNREAD -> unread = null;
            case SPLIT -> split = null;
            default -> input = null;
        }
        if (at == Place.INPUT && done.isReadable()) {
            keepRest(done);
        }
        at = Place.NOWHERE;
        plainStart = 0;
        plainEnd = 0;
    }

    /** Lets go of a buffer that is done with; what is left of it is kept in a smaller one. Only where there is no plaintext. */
    void letGo() {
        ByteBuf none = take(0);
        if (none != null) {
            none.release();
        }
    }

    /** Whether there is neither plaintext nor a whole record. */
    boolean isEmpty() {
        return plainBytes() == 0 && !hasRecord();
    }

    void release() {
        for (ByteBuf held : new ByteBuf[] {unread, split, input}) {
            if (held != null) {
                held.release();
            }
        }
        unread = null;
        split = null;
        input = null;
        at = Place.NOWHERE;
        plainStart = 0;
        plainEnd = 0;
    }
}
