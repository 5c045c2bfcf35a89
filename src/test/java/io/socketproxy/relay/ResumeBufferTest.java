package io.socketproxy.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.PooledByteBufAllocator;
import io.socketproxy.wire.QueueMemories;
import java.io.ByteArrayOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ResumeBufferTest {
    private final ResumeBuffer buffer = new ResumeBuffer(10, QueueMemories.PLENTY);

    @AfterEach
    void release() {
        buffer.release();
    }

    /** A buffer as a wire reads it: with free bytes in front, and room behind or not. */
    private static ByteBuf read(String hex, int capacity) {
        byte[] bytes = ByteBufUtil.decodeHexDump(hex);
        ByteBuf data = PooledByteBufAllocator.DEFAULT.directBuffer(capacity);
        data.setIndex(2, 2);
        return data.writeBytes(bytes);
    }

    private void add(String hex, int capacity) {
        ByteBuf data = read(hex, capacity);
        buffer.add(data);
        data.release();
    }

    private String held() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        buffer.replay(piece -> {
            bytes.writeBytes(ByteBufUtil.getBytes(piece));
            piece.release();
        });
        return ByteBufUtil.hexDump(bytes.toByteArray());
    }

    @Test
    void holdsWhatWasAddedAndGivesItOutAsOftenAsAsked() {
        add("010203", 5);
        add("0405", 1000);
        assertThat(held()).isEqualTo("0102030405");
        assertThat(held()).isEqualTo("0102030405");
        assertThat(buffer.start()).isZero();
        assertThat(buffer.end()).isEqualTo(5);
        assertThat(buffer.room()).isEqualTo(5);
    }

    @Test
    void forgetsToAnOffsetWithinAPiece() {
        add("010203", 5);
        add("040506", 5);
        buffer.trimTo(4);
        assertThat(held()).isEqualTo("0506");
        assertThat(buffer.start()).isEqualTo(4);
        buffer.trimTo(6);
        assertThat(held()).isEmpty();
        assertThat(buffer.room()).isEqualTo(10);
    }

    @Test
    void countsWhatNeedNotBeKept() {
        add("010203", 5);
        buffer.skip(7);
        assertThat(buffer.start()).isEqualTo(10);
        assertThat(buffer.end()).isEqualTo(10);
        add("0b", 5);
        assertThat(held()).isEqualTo("0b");
        assertThat(buffer.end()).isEqualTo(11);
    }

    @Test
    void doesNotKeepALargeBufferForAFewBytes() {
        ByteBuf data = read("010203", 64 * 1024);
        buffer.add(data);
        assertThat(data.refCnt()).isEqualTo(1);
        data.release();
        assertThat(held()).isEqualTo("010203");
    }

    @Test
    void aHeaderPutBeforeWhatWasReadDoesNotChangeWhatIsKept() {
        ByteBuf data = read("010203", 5);
        buffer.add(data);
        int start = data.readerIndex() - 2;
        data.setShort(start, 0x8203).readerIndex(start);
        assertThat(ByteBufUtil.hexDump(data)).isEqualTo("8203010203");
        data.release();
        assertThat(held()).isEqualTo("010203");
    }

    @Test
    void manySingleBytesAreFewBuffersAndCountWithWhatTheyTake() {
        ResumeBuffer large = new ResumeBuffer(1 << 20, QueueMemories.PLENTY);
        int bytes = 0;
        while (large.room() > 0) {
            ByteBuf data = read("2a", 2048);
            large.add(data);
            assertThat(data.refCnt()).isEqualTo(1);
            data.release();
            bytes++;
        }
        assertThat(bytes).isBetween(900_000, 1 << 20);
        int[] pieces = new int[1];
        large.replay(piece -> {
            pieces[0]++;
            piece.release();
        });
        assertThat(pieces[0]).isLessThan(100);
        large.trimTo(bytes / 2);
        assertThat(large.room()).isGreaterThan(bytes / 3);
        large.release();
        assertThat(large.room()).isEqualTo(1 << 20);
    }

    @Test
    void withoutMemoryLeftItTakesLittleAndGoesOnAfterAcknowledgements() {
        ResumeBuffer poor = new ResumeBuffer(1 << 20, QueueMemories.NONE);
        while (poor.room() > 0) {
            ByteBuf data = read("2a2a2a2a2a2a2a2a", 2048);
            poor.add(data);
            data.release();
        }
        assertThat(poor.end()).isBetween(4000L, 20_000L);
        poor.trimTo(poor.end());
        assertThat(poor.room()).isGreaterThan(1000);
        poor.release();
    }
}
