package io.socketproxy.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.PooledByteBufAllocator;
import java.io.ByteArrayOutputStream;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ByteQueueTest {
    private final ByteQueue queue = new ByteQueue();

    @AfterEach
    void release() {
        queue.release();
        assertThat(queue.bytes()).isZero();
        assertThat(queue.held()).isZero();
    }

    private static ByteBuf data(byte[] bytes, int capacity) {
        return PooledByteBufAllocator.DEFAULT.directBuffer(capacity).writeBytes(bytes);
    }

    @Test
    void aHundredThousandSingleBytesTakeLittleMoreThanTheyAre() {
        ByteBuf last = null;
        for (int i = 0; i < 100_000; i++) {
            last = data(new byte[] {(byte) i}, 2048);
            queue.add(last);
        }
        queue.settle();
        assertThat(last).isNotNull();
        assertThat(last.refCnt()).isZero();
        assertThat(queue.bytes()).isEqualTo(100_000);
        assertThat(queue.held()).isBetween(100_000, 130_000);
    }

    @Test
    void aLargeBufferWithOneByteInItIsLetGoWhereTheByteIsNotSentAtOnce() {
        ByteBuf large = data(new byte[] {1}, 256 * 1024);
        queue.add(large);
        assertThat(queue.held()).isGreaterThan(256 * 1024);
        queue.settle();
        assertThat(large.refCnt()).isZero();
        assertThat(queue.held()).isLessThan(1024);
        assertThat(ByteBufUtil.hexDump(queue.first())).isEqualTo("01");
    }

    @Test
    void aSliceCountsWithTheWholeOfWhatItIsCutFrom() {
        ByteBuf whole = data(new byte[256 * 1024], 256 * 1024);
        queue.add(whole.retainedSlice(0, 200 * 1024));
        assertThat(queue.held()).isGreaterThanOrEqualTo(256 * 1024);
        queue.keep(whole.slice(0, 100 * 1024));
        assertThat(whole.refCnt()).isEqualTo(2);
        queue.keep(whole);
        assertThat(whole.refCnt()).isEqualTo(3);
        queue.release();
        assertThat(whole.refCnt()).isEqualTo(1);
        whole.release();
    }

    @Test
    void theSizeClassCountsAndNotWhatWasAskedFor() {
        queue.add(data(new byte[10], 256 * 1024 + 10));
        assertThat(queue.held()).isGreaterThanOrEqualTo(320 * 1024);
    }

    @Test
    void bytesComeOutInTheOrderInWhichTheyWentInWhateverTheirPieces() {
        Random random = new Random(7);
        ByteArrayOutputStream in = new ByteArrayOutputStream();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int round = 0; round < 20_000; round++) {
            switch (random.nextInt(5)) {
                case 0, 1 -> {
                    byte[] bytes = new byte[random.nextInt(10) == 0 ? random.nextInt(20_000) : random.nextInt(50)];
                    random.nextBytes(bytes);
                    in.writeBytes(bytes);
                    ByteBuf data = data(bytes, bytes.length + random.nextInt(3000));
                    if (random.nextBoolean()) {
                        queue.add(data);
                    } else {
                        queue.keep(data);
                        data.release();
                    }
                }
                case 2 -> queue.settle();
                default -> {
                    if (!queue.isEmpty()) {
                        ByteBuf first = queue.first();
                        int length = Math.min(first.readableBytes(), random.nextInt(5000));
                        out.writeBytes(ByteBufUtil.getBytes(first, first.readerIndex(), length));
                        queue.skip(length);
                    }
                }
            }
            assertThat(queue.bytes()).isEqualTo(in.size() - out.size());
        }
        while (!queue.isEmpty()) {
            ByteBuf first = queue.takeFirst();
            out.writeBytes(ByteBufUtil.getBytes(first));
            first.release();
        }
        assertThat(out.toByteArray()).isEqualTo(in.toByteArray());
        assertThat(queue.held()).isZero();
    }
}
