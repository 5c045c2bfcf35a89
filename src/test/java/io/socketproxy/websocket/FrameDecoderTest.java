package io.socketproxy.websocket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.PooledByteBufAllocator;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Hex frames in, events out. */
class FrameDecoderTest {
    private final Recorder recorder = new Recorder();

    private static final class Recorder implements FrameDecoder.Sink {
        final List<String> events = new ArrayList<>();
        final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        @Override
        public void binary(ByteBuf data) {
            byte[] copy = ByteBufUtil.getBytes(data);
            data.release();
            bytes.writeBytes(copy);
            events.add("binary " + ByteBufUtil.hexDump(copy));
        }

        @Override
        public void text(ByteBuf utf8) {
            events.add("text " + utf8.toString(StandardCharsets.UTF_8));
            utf8.release();
        }

        @Override
        public void ping(ByteBuf payload) {
            events.add("ping " + ByteBufUtil.hexDump(payload));
            payload.release();
        }

        @Override
        public void pong() {
            events.add("pong");
        }

        @Override
        public void closeFrame(int code) {
            events.add("close " + code);
        }
    }

    private static ByteBuf direct(byte[] bytes) {
        return PooledByteBufAllocator.DEFAULT.directBuffer(bytes.length + 1).writeBytes(bytes);
    }

    private static ByteBuf hex(String hex) {
        return direct(ByteBufUtil.decodeHexDump(hex.replace(" ", "")));
    }

    private List<String> decode(FrameDecoder decoder, String hex) throws FrameDecoder.Violation {
        decoder.decode(hex(hex));
        return recorder.events;
    }

    private FrameDecoder stream() {
        return new FrameDecoder(recorder, 1000, 0);
    }

    private FrameDecoder messages() {
        return new FrameDecoder(recorder, 1000, 2000);
    }

    /** RFC 6455 section 5.7's masked "Hello", as a binary message. */
    @Test
    void unmasks() throws Exception {
        assertThat(decode(stream(), "82 85 37fa213d 7f9f4d5158")).containsExactly("binary 48656c6c6f");
    }

    @Test
    void movesTheFramesOfOnePieceTogether() throws Exception {
        assertThat(decode(stream(), "82 82 00000000 0102 82 80 11223344 82 81 ffffffff fc"))
                .containsExactly("binary 010203");
    }

    @Test
    void keepsMessagesApartWhereTheyAreDatagrams() throws Exception {
        assertThat(decode(messages(), "82 82 00000000 0102 82 80 11223344 02 81 ffffffff fc 80 81 00000000 04"))
                .containsExactly("binary 0102", "binary ", "binary 0304");
    }

    @Test
    void answersAPingBetweenFragments() throws Exception {
        assertThat(decode(stream(), "02 81 00000000 01 89 81 00000000 aa 80 81 00000000 02"))
                .containsExactly("ping aa", "binary 0102");
    }

    @Test
    void passesOnWhatCameBeforeATextBeforeTheText() throws Exception {
        assertThat(decode(stream(), "82 81 00000000 01 01 81 00000000 41 80 81 00000000 42 82 81 00000000 02"))
                .containsExactly("binary 01", "text AB", "binary 02");
    }

    @Test
    void passesOnWhatCameBeforeTheCloseAndNothingAfter() throws Exception {
        assertThat(decode(stream(), "82 81 00000000 01 88 82 00000000 03e8 82 81 00000000 02"))
                .containsExactly("binary 01", "close 1000");
    }

    @Test
    void takesACloseWithoutACode() throws Exception {
        assertThat(decode(stream(), "88 80 00000000")).containsExactly("close 1005");
    }

    @ParameterizedTest
    @CsvSource({
        "1002, 82 01 aa", // not masked
        "1002, c2 81 00000000 01", // RSV1
        "1002, a2 81 00000000 01",
        "1002, 92 81 00000000 01",
        "1002, 83 80 00000000", // reserved opcodes
        "1002, 8b 80 00000000",
        "1002, 80 80 00000000", // a continuation of nothing
        "1002, 02 80 00000000 82 80 00000000", // a message in a message
        "1002, 09 80 00000000", // a fragmented ping
        "1002, 89 fe 007e 00000000", // a long ping
        "1002, 82 fe 007d 00000000", // lengths not in their shortest form
        "1002, 82 ff 000000000000ffff 00000000",
        "1002, 82 ff 8000000000010000 00000000",
        "1002, 88 81 00000000 03", // a close code of one byte
        "1002, 88 82 00000000 03ed", // 1005
        "1002, 88 82 00000000 03e7", // 999
        "1002, 88 82 00000000 0bb7", // 2999
        "1007, 88 84 00000000 03e8 c328",
        "1007, 81 82 00000000 c328",
        "1007, 81 83 00000000 eda080", // a surrogate
        "1009, 81 fe 03e9 00000000",
    })
    void refusesWhatBreaksTheRules(int code, String hex) {
        FrameDecoder decoder = stream();
        assertThatThrownBy(() -> decode(decoder, hex))
                .isInstanceOfSatisfying(
                        FrameDecoder.Violation.class,
                        violation -> assertThat(violation.code()).isEqualTo(code));
    }

    @Test
    void refusesALongDatagram() {
        FrameDecoder decoder = messages();
        assertThatThrownBy(() -> decode(decoder, "02 fe 07d0 00000000" + "00".repeat(2000) + "80 81 00000000 00"))
                .isInstanceOfSatisfying(
                        FrameDecoder.Violation.class,
                        violation -> assertThat(violation.code()).isEqualTo(CloseCode.TOO_BIG));
        assertThat(recorder.events).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void findsTheSameBytesHoweverTheyAreCut(long seed) throws Exception {
        Random random = new Random(seed);
        ByteArrayOutputStream wire = new ByteArrayOutputStream();
        ByteArrayOutputStream sent = new ByteArrayOutputStream();
        int[] sizes = {0, 1, 7, 8, 9, 125, 126, 127, 1000, 65_535, 65_536, 70_001};
        for (int i = 0; i < 40; i++) {
            byte[] payload = new byte[sizes[random.nextInt(sizes.length)]];
            random.nextBytes(payload);
            sent.writeBytes(payload);
            wire.writeBytes(masked(0x82, payload, random.nextInt()));
            if (random.nextInt(4) == 0) {
                wire.writeBytes(masked(0x8a, new byte[random.nextInt(126)], random.nextInt()));
            }
        }
        byte[] all = wire.toByteArray();
        FrameDecoder decoder = stream();
        for (int at = 0; at < all.length; ) {
            int length = Math.min(all.length - at, 1 + random.nextInt(random.nextBoolean() ? 5 : 65_536));
            byte[] piece = new byte[length];
            System.arraycopy(all, at, piece, 0, length);
            decoder.decode(direct(piece));
            at += length;
        }
        assertThat(recorder.bytes.toByteArray()).isEqualTo(sent.toByteArray());
    }

    private static byte[] masked(int first, byte[] payload, int key) {
        ByteBuf frame = PooledByteBufAllocator.DEFAULT.heapBuffer(payload.length + 14);
        frame.writeByte(first);
        if (payload.length < 126) {
            frame.writeByte(0x80 | payload.length);
        } else if (payload.length <= 0xffff) {
            frame.writeByte(0x80 | 126).writeShort(payload.length);
        } else {
            frame.writeByte(0x80 | 127).writeLong(payload.length);
        }
        frame.writeInt(key);
        for (int i = 0; i < payload.length; i++) {
            frame.writeByte(payload[i] ^ (key >>> (24 - 8 * (i & 3))));
        }
        byte[] bytes = ByteBufUtil.getBytes(frame);
        frame.release();
        return bytes;
    }
}
