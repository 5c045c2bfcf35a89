package io.socketproxy.libc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SockAddrTest {
    @Test
    void inet4IsInNetworkOrder() {
        SockAddr address = new SockAddr.Inet4(0x7f000001, 8080);

        assertThat(nativeBytes(address).substring(4)).isEqualTo("1f90" + "7f000001" + "0000000000000000");
        assertThat(roundTrip(address)).isEqualTo(address);
        assertThat(SockAddr.Inet4.of(new byte[] {127, 0, 0, 1}, 8080)).isEqualTo(address);
    }

    @Test
    void inet6KeepsFlowInformationAndScope() {
        SockAddr address = new SockAddr.Inet6(0xfe80_0000_0000_0000L, 0x1234_5678_9abc_def0L, 443, 0xabcde, 7);

        assertThat(nativeBytes(address).substring(4, 48))
                .isEqualTo("01bb" + "000abcde" + "fe80000000000000123456789abcdef0");
        assertThat(roundTrip(address)).isEqualTo(address);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "/tmp/a.sock", "/tmp/äöü", "\0name", "\0with\0nul", "\0"})
    void unixNamesGoThereAndBack(String path) {
        SockAddr address = new SockAddr.Unix(path);

        assertThat(roundTrip(address)).isEqualTo(address);
    }

    @ParameterizedTest
    @CsvSource({"/tmp/a,  9", "'', 2", "\0a, 4"})
    void lengthsAreTheKernelsIdeaOfThem(String path, int length) {
        try (Arena arena = Arena.ofConfined()) {
            assertThat(new SockAddr.Unix(path).toNative(arena).byteSize()).isEqualTo(length);
        }
    }

    @Test
    void aPathMayFillSunPath() {
        SockAddr.Unix full = new SockAddr.Unix("/" + "x".repeat(107));

        assertThat(nativeBytes(full)).hasSize(2 * 110);
        assertThat(roundTrip(full)).isEqualTo(full);
        assertThatIllegalArgumentException().isThrownBy(() -> new SockAddr.Unix("/" + "x".repeat(108)));
        assertThatIllegalArgumentException().isThrownBy(() -> new SockAddr.Unix("/tmp/a\0b"));
    }

    @Test
    void namesThatAreNoTextAreReadAllTheSame() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment sockaddr = arena.allocate(SockAddr.STORAGE_BYTES);
            sockaddr.set(SockAddr.FAMILY, 0, (short) Constants.AF_UNIX);
            sockaddr.asSlice(3, 107).fill((byte) 0xff);

            assertThat(SockAddr.fromNative(sockaddr, 110)).isEqualTo(new SockAddr.Unix("\0" + "?".repeat(107)));
        }
    }

    @Test
    void portsAreSixteenBits() {
        assertThatIllegalArgumentException().isThrownBy(() -> new SockAddr.Inet4(0, 65_536));
        assertThatIllegalArgumentException().isThrownBy(() -> new SockAddr.Inet6(0, 1, -1, 0, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> SockAddr.Inet4.of(new byte[3], 1));
        assertThat(roundTrip(new SockAddr.Inet4(-1, 65_535))).isEqualTo(new SockAddr.Inet4(-1, 65_535));
    }

    private static SockAddr roundTrip(SockAddr address) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment sockaddr = address.toNative(arena);
            return SockAddr.fromNative(sockaddr, (int) sockaddr.byteSize());
        }
    }

    private static String nativeBytes(SockAddr address) {
        try (Arena arena = Arena.ofConfined()) {
            return HexFormat.of().formatHex(address.toNative(arena).toArray(ValueLayout.JAVA_BYTE));
        }
    }
}
