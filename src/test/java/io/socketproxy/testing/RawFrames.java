package io.socketproxy.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

/** Frames as a client sends them, and as it must not (RFC 6455, section 5.2). */
public final class RawFrames {

    public static final int CONTINUATION = 0x0;
    public static final int TEXT = 0x1;
    public static final int BINARY = 0x2;
    public static final int CLOSE = 0x8;
    public static final int PING = 0x9;
    public static final int PONG = 0xA;
    public static final int FIN = 0x80;

    private static final byte[] MASK = {(byte) 0x9d, 0x27, (byte) 0xf0, 0x5a};

    private RawFrames() {}

    /** A frame as a client has to send it: masked, with the shortest length. */
    public static byte[] frame(int firstByte, byte[] payload) {
        return frame(firstByte, payload, MASK);
    }

    public static byte[] frame(int firstByte, byte[] payload, byte[] mask) {
        int n = payload.length;
        byte[] length = n < 126
                ? new byte[] {(byte) (0x80 | n)}
                : n < 65_536
                        ? new byte[] {(byte) (0x80 | 126), (byte) (n >> 8), (byte) n}
                        : new byte[] {
                            (byte) (0x80 | 127),
                            0,
                            0,
                            0,
                            0,
                            (byte) (n >> 24),
                            (byte) (n >> 16),
                            (byte) (n >> 8),
                            (byte) n
                        };
        return frame(firstByte, length, payload, mask);
    }

    /** A frame whose length is written as given. */
    public static byte[] frame(int firstByte, byte[] length, byte[] payload, byte[] mask) {
        byte[] frame = new byte[1 + length.length + mask.length + payload.length];
        frame[0] = (byte) firstByte;
        System.arraycopy(length, 0, frame, 1, length.length);
        System.arraycopy(mask, 0, frame, 1 + length.length, mask.length);
        int start = 1 + length.length + mask.length;
        for (int i = 0; i < payload.length; i++) {
            frame[start + i] = mask.length == 0 ? payload[i] : (byte) (payload[i] ^ mask[i & 3]);
        }
        return frame;
    }

    public static byte[] closeFrame(int code, String reason) {
        return frame(FIN | CLOSE, closePayload(code, reason.getBytes(UTF_8)));
    }

    public static byte[] closePayload(int code, byte[] reason) {
        byte[] payload = new byte[2 + reason.length];
        payload[0] = (byte) (code >> 8);
        payload[1] = (byte) code;
        System.arraycopy(reason, 0, payload, 2, reason.length);
        return payload;
    }
}
