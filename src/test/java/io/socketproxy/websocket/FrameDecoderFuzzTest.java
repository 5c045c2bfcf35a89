package io.socketproxy.websocket;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.PooledByteBufAllocator;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * What a client may send, whatever it is: the same comes of it in whatever pieces it arrives, little is kept, and every buffer is
 * given back.
 */
class FrameDecoderFuzzTest {
    private static final int MAX_TEXT_BYTES = 200;
    private static final int MAX_DATAGRAM_BYTES = 300;

    /** A decoder keeps one message and one control frame, in buffers of at most a page more. */
    private static final long MAX_KEPT_BYTES = 2 * 8192;

    /** What comes of the frames. Where bytes are passed on piece by piece, text and close are in order with them, and pings need not be. */
    private static final class Recorder implements FrameDecoder.Sink {
        private final boolean isMessages;
        final List<String> ordered = new ArrayList<>();
        final List<String> pings = new ArrayList<>();
        final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        Recorder(boolean isMessages) {
            this.isMessages = isMessages;
        }

        @Override
        public void binary(ByteBuf data) {
            bytes.writeBytes(taken(data));
            if (isMessages) {
                ordered.add("message to " + bytes.size());
            }
        }

        @Override
        public void text(ByteBuf utf8) {
            ordered.add("text at " + bytes.size() + ": " + new String(taken(utf8), StandardCharsets.UTF_8));
        }

        @Override
        public void ping(ByteBuf payload) {
            pings.add(ByteBufUtil.hexDump(taken(payload)));
        }

        @Override
        public void pong() {
            pings.add("pong");
        }

        @Override
        public void closeFrame(int code) {
            ordered.add("close at " + bytes.size() + ": " + code);
        }

        private static byte[] taken(ByteBuf data) {
            try {
                return ByteBufUtil.getBytes(data);
            } finally {
                data.release();
            }
        }

        boolean isLike(Recorder other) {
            return ordered.equals(other.ordered)
                    && pings.equals(other.pings)
                    && Arrays.equals(bytes.toByteArray(), other.bytes.toByteArray());
        }

        @Override
        public String toString() {
            return ordered + " " + pings + " " + ByteBufUtil.hexDump(bytes.toByteArray());
        }
    }

    /** The first byte says whether messages are kept whole, two more how what follows is cut. */
    @FuzzTest
    void frames(byte[] input) {
        if (input.length < 3) {
            return;
        }
        boolean isMessages = (input[0] & 1) != 0;
        byte[] sent = Arrays.copyOfRange(input, 3, input.length);
        long before = pinned();
        Recorder whole = decoded(sent, isMessages, sent.length, 0, before);
        int longest = 1 + (input[1] & 0xff);
        Recorder cut = decoded(sent, isMessages, longest, input[2], before);
        if (!whole.isLike(cut)) {
            throw new AssertionError("whole: " + whole + "\ncut to " + longest + " bytes at most: " + cut);
        }
        if (pinned() > before) {
            throw new AssertionError((pinned() - before) + " bytes are not given back");
        }
    }

    private static Recorder decoded(byte[] sent, boolean isMessages, int longest, int seed, long before) {
        Random random = new Random(seed);
        List<ByteBuf> pieces = new ArrayList<>();
        Recorder recorder = new Recorder(isMessages);
        FrameDecoder decoder = new FrameDecoder(recorder, MAX_TEXT_BYTES, isMessages ? MAX_DATAGRAM_BYTES : 0);
        try {
            for (int at = 0; at < sent.length; ) {
                int length = Math.min(sent.length - at, 1 + random.nextInt(longest));
                ByteBuf piece =
                        PooledByteBufAllocator.DEFAULT.directBuffer(length + 2).setIndex(2, 2);
                piece.writeBytes(sent, at, length);
                pieces.add(piece);
                decoder.decode(piece);
                at += length;
            }
            long kept = pinned() - before;
            if (kept > MAX_KEPT_BYTES) {
                throw new AssertionError("keeps " + kept + " bytes");
            }
        } catch (FrameDecoder.Violation violation) {
            recorder.ordered.add(violation.code() + " " + violation.reason());
        }
        decoder.release();
        for (ByteBuf piece : pieces) {
            if (piece.refCnt() != 0) {
                throw new AssertionError("a buffer of " + piece.capacity() + " bytes is not given back");
            }
        }
        return recorder;
    }

    /** Bytes in buffers that were not given back; only this test has any while it runs. */
    private static long pinned() {
        return PooledByteBufAllocator.DEFAULT.pinnedDirectMemory();
    }

    /** A key, how far the bytes are moved and where they are, then the bytes. */
    @FuzzTest
    void masking(byte[] input) {
        if (input.length < 6) {
            return;
        }
        int key = (input[0] & 0xff) << 24 | (input[1] & 0xff) << 16 | (input[2] & 0xff) << 8 | input[3] & 0xff;
        int from = input[4] & 0xff;
        int to = Math.min(from, input[5] & 0xff);
        int length = input.length - 6;
        ByteBuf buffer = PooledByteBufAllocator.DEFAULT.directBuffer(from + length + 1);
        try {
            buffer.writeZero(from).writeBytes(input, 6, length).writeByte(0x55);
            Masking.unmask(buffer, from, to, length, key);
            for (int i = 0; i < length; i++) {
                if (buffer.getByte(to + i) != (byte) (input[6 + i] ^ input[i & 3])) {
                    throw new AssertionError("byte " + i + " of " + length + " from " + from + " to " + to);
                }
            }
            for (int i = 0; i < to; i++) {
                if (buffer.getByte(i) != 0) {
                    throw new AssertionError("wrote before, at " + i);
                }
            }
            if (buffer.getByte(from + length) != 0x55) {
                throw new AssertionError("wrote behind");
            }
        } finally {
            buffer.release();
        }
    }
}
