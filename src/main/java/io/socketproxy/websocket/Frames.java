package io.socketproxy.websocket;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.PooledByteBufAllocator;
import java.nio.charset.StandardCharsets;

/** Makes a server's frames, RFC 6455 section 5: whole and unmasked. */
final class Frames {
    /** The longest header of a server's frame, in bytes. */
    static final int MAX_HEADER_BYTES = 10;

    private static final int FIN = 0x80;
    private static final int MAX_REASON_BYTES = 123;

    private Frames() {}

    static int headerLength(int payloadLength) {
        return payloadLength < 126 ? 2 : payloadLength <= 0xffff ? 4 : MAX_HEADER_BYTES;
    }

    /** Puts the header into the free bytes in front of a payload; false where there are too few. */
    static boolean prepend(ByteBuf payload, int opcode) {
        int length = payload.readableBytes();
        int start = payload.readerIndex() - headerLength(length);
        if (start < 0) {
            return false;
        }
        setHeader(payload, start, opcode, length);
        payload.readerIndex(start);
        return true;
    }

    /** The header alone. */
    static ByteBuf header(int opcode, int payloadLength) {
        int length = headerLength(payloadLength);
        ByteBuf header = PooledByteBufAllocator.DEFAULT.directBuffer(length);
        setHeader(header, 0, opcode, payloadLength);
        return header.writerIndex(length);
    }

    /** A frame with a copy of the payload. */
    static ByteBuf frame(int opcode, ByteBuf payload) {
        int length = payload.readableBytes();
        ByteBuf frame = PooledByteBufAllocator.DEFAULT.directBuffer(headerLength(length) + length);
        setHeader(frame, 0, opcode, length);
        return frame.writerIndex(headerLength(length)).writeBytes(payload, payload.readerIndex(), length);
    }

    static ByteBuf text(String text) {
        int length = ByteBufUtil.utf8Bytes(text);
        ByteBuf frame = PooledByteBufAllocator.DEFAULT.directBuffer(headerLength(length) + length);
        setHeader(frame, 0, Opcode.TEXT, length);
        frame.writerIndex(headerLength(length));
        ByteBufUtil.writeUtf8(frame, text);
        return frame;
    }

    /** A close frame; the reason is cut to what a control frame holds, and left out with {@link CloseCode#NO_STATUS} as the code is. */
    static ByteBuf close(int code, String reason) {
        if (code == CloseCode.NO_STATUS) {
            return header(Opcode.CLOSE, 0);
        }
        byte[] bytes = reason.getBytes(StandardCharsets.UTF_8);
        int length = Math.min(bytes.length, MAX_REASON_BYTES);
        while (length < bytes.length && length > 0 && (bytes[length] & 0xc0) == 0x80) {
            length--;
        }
        ByteBuf frame = header(Opcode.CLOSE, 2 + length);
        return frame.writeShort(code).writeBytes(bytes, 0, length);
    }

    private static void setHeader(ByteBuf buffer, int index, int opcode, int length) {
        buffer.setByte(index, FIN | opcode);
        if (length < 126) {
            buffer.setByte(index + 1, length);
        } else if (length <= 0xffff) {
            buffer.setByte(index + 1, 126);
            buffer.setShort(index + 2, length);
        } else {
            buffer.setByte(index + 1, 127);
            buffer.setLong(index + 2, length);
        }
    }
}
