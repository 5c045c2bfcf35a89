package io.socketproxy.websocket;

import static io.socketproxy.websocket.Opcode.BINARY;
import static io.socketproxy.websocket.Opcode.CLOSE;
import static io.socketproxy.websocket.Opcode.CONTINUATION;
import static io.socketproxy.websocket.Opcode.PING;
import static io.socketproxy.websocket.Opcode.PONG;
import static io.socketproxy.websocket.Opcode.TEXT;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Reads a client's frames, RFC 6455 section 5, from bytes that come in any pieces.
 *
 * <p>A binary payload is passed on as it comes, never gathered: unmasked in place, and what the frames of one piece hold is moved
 * together, so that many small frames become one buffer. Only text, control frames and (where message boundaries mean something)
 * datagrams are gathered, up to a limit. Not thread-safe.
 */
final class FrameDecoder {
    private static final int FIN = 0x80;
    private static final int RESERVED = 0x70;
    private static final int MASK = 0x80;
    private static final int MAX_HEADER_BYTES = 14;
    private static final int MAX_CONTROL_BYTES = 125;

    /** What frames mean. */
    interface Sink {
        /**
         * Bytes of a binary message.
         *
         * @param data direct memory, the sink's to release
         */
        void binary(ByteBuf data);

        /** A whole text message, of which it is known that it is UTF-8; as {@link #binary}. */
        void text(ByteBuf utf8);

        /** A ping and its payload, the sink's to release. */
        void ping(ByteBuf payload);

        void pong();

        /** A close frame; {@link CloseCode#NO_STATUS} where it had no code. No other call comes after. */
        void closeFrame(int code);
    }

    /** The client broke the rules; after this a decoder is of no more use. */
    static final class Violation extends Exception {
        private static final long serialVersionUID = 1L;

        private final int code;

        Violation(int code, String what) {
            super(what, null, false, false);
            this.code = code;
        }

        /** The code to close with. */
        int code() {
            return code;
        }

        /** What was wrong. */
        String reason() {
            return String.valueOf(getMessage());
        }
    }

    private final Sink sink;
    private final int maxTextBytes;
    private final int maxMessageBytes;

    private final byte[] header = new byte[MAX_HEADER_BYTES];
    private int headerBytes;

    // The frame whose header has been read.
    private boolean inFrame;
    private boolean fin;
    private int opcode;
    private int key;
    private long remaining;

    /** TEXT or BINARY while a message is under way. */
    private int message = -1;

    // A text or a whole binary message, and a control frame that may come in between.
    private @Nullable ByteBuf gathered;
    private @Nullable ByteBuf control;

    private boolean closed;

    /**
     * @param maxTextBytes the longest text message
     * @param maxMessageBytes the longest binary message, each passed on whole; 0 where their boundaries mean nothing
     */
    FrameDecoder(Sink sink, int maxTextBytes, int maxMessageBytes) {
        this.sink = sink;
        this.maxTextBytes = maxTextBytes;
        this.maxMessageBytes = maxMessageBytes;
    }

    /** Decodes what has come, a buffer of direct memory that becomes the decoder's. */
    void decode(ByteBuf in) throws Violation {
        // The payload of this piece that was unmasked and not passed on yet: [runStart, runEnd).
        int runStart = 0;
        int runEnd = 0;
        boolean passedOn = false;
        try {
            while (!closed && in.isReadable()) {
                if (!inFrame) {
                    if (!readHeader(in)) {
                        break;
                    }
                    boolean ordered = opcode == CLOSE || opcode == TEXT || message == TEXT;
                    if (ordered && runEnd > runStart) {
                        // What came before is passed on before.
                        sink.binary(in.retainedSlice(runStart, runEnd - runStart));
                        runEnd = runStart;
                    }
                    if (remaining > 0 && !in.isReadable()) {
                        break;
                    }
                }
                int length = (int) Math.min(remaining, in.readableBytes());
                if (isStreamed()) {
                    if (runEnd == runStart) {
                        runStart = in.readerIndex();
                        runEnd = runStart;
                    }
                    Masking.unmask(in, in.readerIndex(), runEnd, length, key);
                    in.skipBytes(length);
                    runEnd += length;
                } else {
                    Masking.unmask(in, in.readerIndex(), in.readerIndex(), length, key);
                    gather(in, length);
                }
                key = Integer.rotateLeft(key, (length & 3) * 8);
                remaining -= length;
                if (remaining == 0) {
                    inFrame = false;
                    endFrame();
                }
            }
        } catch (Violation violation) {
            closed = true;
            throw violation;
        } finally {
            if (runEnd > runStart) {
                in.setIndex(runStart, runEnd);
                passedOn = true;
                sink.binary(in);
            }
            if (!passedOn) {
                in.release();
            }
            if (closed) {
                release();
            }
        }
    }

    /** Lets go of what has been gathered. */
    void release() {
        closed = true;
        if (gathered != null) {
            gathered.release();
            gathered = null;
        }
        if (control != null) {
            control.release();
            control = null;
        }
    }

    /** Whether the frame's payload is passed on piece by piece. */
    private boolean isStreamed() {
        return opcode < CLOSE && message == BINARY && maxMessageBytes == 0;
    }

    private boolean readHeader(ByteBuf in) throws Violation {
        while (true) {
            int need = headerNeed();
            if (headerBytes == need) {
                break;
            }
            int take = Math.min(need - headerBytes, in.readableBytes());
            if (take == 0) {
                return false;
            }
            in.readBytes(header, headerBytes, take);
            headerBytes += take;
            if (headerBytes >= 2) {
                checkStart();
            }
        }
        headerBytes = 0;
        beginFrame();
        return true;
    }

    private int headerNeed() {
        if (headerBytes < 2) {
            return 2;
        }
        int length = header[1] & 0x7f;
        return 6 + (length == 126 ? 2 : length == 127 ? 8 : 0);
    }

    /** What the first two bytes tell; said at once, and not when the rest has come. */
    private void checkStart() throws Violation {
        int code = header[0] & 0x0f;
        boolean isFin = (header[0] & FIN) != 0;
        if ((header[0] & RESERVED) != 0) {
            throw new Violation(CloseCode.PROTOCOL_ERROR, "a reserved bit is set, and no extension was agreed on");
        }
        if ((header[1] & MASK) == 0) {
            throw new Violation(CloseCode.PROTOCOL_ERROR, "a client's frame must be masked");
        }
        switch (code) {
            case CONTINUATION -> {
                if (message < 0) {
                    throw new Violation(CloseCode.PROTOCOL_ERROR, "a continuation of nothing");
                }
            }
            case TEXT, BINARY -> {
                if (message >= 0) {
                    throw new Violation(CloseCode.PROTOCOL_ERROR, "a new message inside a fragmented one");
                }
            }
            case CLOSE, PING, PONG -> {
                if (!isFin) {
                    throw new Violation(CloseCode.PROTOCOL_ERROR, "a control frame must not be fragmented");
                }
                if ((header[1] & 0x7f) > MAX_CONTROL_BYTES) {
                    throw new Violation(CloseCode.PROTOCOL_ERROR, "a control frame has at most 125 bytes");
                }
            }
            default -> throw new Violation(CloseCode.PROTOCOL_ERROR, "the opcode " + code + " is reserved");
        }
    }

    private void beginFrame() throws Violation {
        fin = (header[0] & FIN) != 0;
        opcode = header[0] & 0x0f;
        ByteBuffer fields = ByteBuffer.wrap(header, 2, MAX_HEADER_BYTES - 2);
        int length = header[1] & 0x7f;
        remaining = length;
        if (length == 126) {
            remaining = Short.toUnsignedInt(fields.getShort());
            if (remaining < 126) {
                throw new Violation(CloseCode.PROTOCOL_ERROR, "a length must be in its shortest form");
            }
        } else if (length == 127) {
            remaining = fields.getLong();
            if (remaining < 0) {
                throw new Violation(CloseCode.PROTOCOL_ERROR, "a length's highest bit must be 0");
            }
            if (remaining <= 0xffff) {
                throw new Violation(CloseCode.PROTOCOL_ERROR, "a length must be in its shortest form");
            }
        }
        key = fields.getInt();
        inFrame = true;
        if (opcode == TEXT || opcode == BINARY) {
            message = opcode;
        }
        if (opcode < CLOSE && !isStreamed()) {
            requireRoom();
        }
    }

    private void requireRoom() throws Violation {
        int limit = message == TEXT ? maxTextBytes : maxMessageBytes;
        long held = gathered == null ? 0 : gathered.readableBytes();
        if (remaining > limit - held) {
            throw new Violation(
                    CloseCode.TOO_BIG,
                    message == TEXT
                            ? "a text message has at most " + limit + " bytes; send data as binary messages"
                            : "a datagram has at most " + limit + " bytes");
        }
    }

    private void gather(ByteBuf in, int length) {
        if (opcode >= CLOSE) {
            if (control == null) {
                control = PooledByteBufAllocator.DEFAULT.directBuffer(MAX_CONTROL_BYTES);
            }
            control.writeBytes(in, length);
        } else {
            if (gathered == null) {
                gathered = PooledByteBufAllocator.DEFAULT.directBuffer(length);
            }
            gathered.writeBytes(in, length);
        }
    }

    private void endFrame() throws Violation {
        if (opcode >= CLOSE) {
            endControlFrame();
        } else if (fin) {
            int ended = message;
            message = -1;
            if (ended == BINARY && maxMessageBytes == 0) {
                return;
            }
            ByteBuf whole = gathered == null ? Unpooled.EMPTY_BUFFER : gathered;
            gathered = null;
            if (ended == BINARY) {
                sink.binary(whole);
            } else {
                requireUtf8(whole, "a text message must be UTF-8");
                sink.text(whole);
            }
        }
    }

    private void endControlFrame() throws Violation {
        ByteBuf payload = control == null ? Unpooled.EMPTY_BUFFER : control;
        control = null;
        switch (opcode) {
            case PING -> sink.ping(payload);
            case PONG -> {
                payload.release();
                sink.pong();
            }
            default -> endClose(payload);
        }
    }

    private void endClose(ByteBuf payload) throws Violation {
        int code = CloseCode.NO_STATUS;
        if (payload.readableBytes() == 1) {
            payload.release();
            throw new Violation(CloseCode.PROTOCOL_ERROR, "a close code has two bytes");
        }
        if (payload.isReadable()) {
            code = payload.readUnsignedShort();
            if (!CloseCode.isValid(code)) {
                payload.release();
                throw new Violation(CloseCode.PROTOCOL_ERROR, "the close code " + code + " must not be sent");
            }
            requireUtf8(payload, "a close reason must be UTF-8");
        }
        payload.release();
        closed = true;
        sink.closeFrame(code);
    }

    /** Not Netty's {@code isText}, which takes surrogates and overlong forms for UTF-8. */
    private static void requireUtf8(ByteBuf bytes, String otherwise) throws Violation {
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(ByteBufUtil.getBytes(bytes)));
        } catch (CharacterCodingException e) {
            bytes.release();
            throw new Violation(CloseCode.NOT_UTF8, otherwise);
        }
    }
}
