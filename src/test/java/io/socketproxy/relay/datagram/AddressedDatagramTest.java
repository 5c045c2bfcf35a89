package io.socketproxy.relay.datagram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.socketproxy.address.Endpoint;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.SockAddr;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** RFC 1928 section 7, in hex. */
class AddressedDatagramTest {
    private static final SockAddr V6 =
            SockAddr.Inet6.of(ByteBufUtil.decodeHexDump("20010db8000000000000000000000001"), 53, 0, 0);

    private static ByteBuf hex(String hex) {
        return Unpooled.wrappedBuffer(ByteBufUtil.decodeHexDump(hex.replace(" ", "")));
    }

    private static AddressedDatagram.Destination read(String hex, int family) {
        return AddressedDatagram.readHeader(hex(hex), family);
    }

    @Test
    void readsAnIpv4AddressAndLeavesTheData() {
        ByteBuf datagram = hex("0000 00 01 7f000001 0035 6869");
        assertThat(AddressedDatagram.readHeader(datagram, Constants.AF_INET))
                .isEqualTo(new AddressedDatagram.Destination.Address(new SockAddr.Inet4(0x7f000001, 53)));
        assertThat(ByteBufUtil.hexDump(datagram)).isEqualTo("6869");
    }

    @Test
    void readsAnEmptyDatagram() {
        ByteBuf datagram = hex("0000 00 01 7f000001 0035");
        AddressedDatagram.readHeader(datagram, Constants.AF_INET);
        assertThat(datagram.isReadable()).isFalse();
    }

    @Test
    void readsANameAndAnIpv6Address() {
        assertThat(read("0000 00 03 09 6c6f63616c686f7374 ffff", Constants.AF_INET))
                .isEqualTo(new AddressedDatagram.Destination.Name(Endpoint.of("localhost", 65_535)));
        assertThat(read("0000 00 04 20010db8000000000000000000000001 0035", Constants.AF_INET6))
                .isEqualTo(new AddressedDatagram.Destination.Address(V6));
    }

    @Test
    void fitsTheAddressToTheSocket() {
        assertThat(read("0000 00 01 7f000001 0035", Constants.AF_INET6))
                .isEqualTo(
                        new AddressedDatagram.Destination.Address(new SockAddr.Inet6(0, 0xffff_7f00_0001L, 53, 0, 0)));
        assertThat(read("0000 00 04 00000000000000000000ffff7f000001 0035", Constants.AF_INET))
                .isEqualTo(new AddressedDatagram.Destination.Address(new SockAddr.Inet4(0x7f000001, 53)));
        assertThatThrownBy(() -> read("0000 00 04 20010db8000000000000000000000001 0035", Constants.AF_INET))
                .isInstanceOfSatisfying(
                        SocketFault.class, fault -> assertThat(fault.errno()).isEqualTo(Errno.EAFNOSUPPORT));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "00",
                "0000 00 01",
                "0000 00 01 7f0000",
                "0000 00 01 7f000001 00",
                "0001 00 01 7f000001 0035",
                "0000 01 01 7f000001 0035",
                "0000 00 02 7f000001 0035",
                "0000 00 03 00 0035",
                "0000 00 03 05 6c6f63 0035",
                "0000 00 04 7f000001 0035",
            })
    void refusesWhatIsNoHeader(String hex) {
        assertThatThrownBy(() -> read(hex, Constants.AF_INET))
                .isInstanceOfSatisfying(
                        SocketFault.class, fault -> assertThat(fault.errno()).isEqualTo(Errno.EINVAL));
    }

    @Test
    void writesWhatItReads() {
        ByteBuf to = Unpooled.buffer();
        AddressedDatagram.writeHeader(to, new SockAddr.Inet4(0x7f000001, 53));
        assertThat(ByteBufUtil.hexDump(to)).isEqualTo("000000017f0000010035");
        to.clear();
        AddressedDatagram.writeHeader(to, V6);
        assertThat(ByteBufUtil.hexDump(to)).isEqualTo("0000000420010db80000000000000000000000010035");
    }
}
