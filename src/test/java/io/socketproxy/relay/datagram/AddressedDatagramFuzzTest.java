package io.socketproxy.relay.datagram;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.SockAddr;
import java.util.Arrays;

/** The addresses in front of datagrams. */
class AddressedDatagramFuzzTest {
    @FuzzTest
    void addressedDatagram(byte[] datagram) {
        for (int family : new int[] {Constants.AF_INET, Constants.AF_INET6}) {
            ByteBuf data = Unpooled.wrappedBuffer(datagram);
            AddressedDatagram.Destination destination;
            try {
                destination = AddressedDatagram.readHeader(data, family);
            } catch (SocketFault fault) {
                if (fault.errno() != Errno.EINVAL && fault.errno() != Errno.EAFNOSUPPORT) {
                    throw new AssertionError(fault);
                }
                continue;
            }
            int headerBytes = data.readerIndex();
            if (headerBytes > AddressedDatagram.MAX_HEADER_BYTES) {
                throw new AssertionError("a header of " + headerBytes + " bytes");
            }
            if (destination instanceof AddressedDatagram.Destination.Address(SockAddr address)) {
                requireWrittenAsRead(datagram, headerBytes, address, family);
            }
        }
    }

    private static void requireWrittenAsRead(byte[] datagram, int headerBytes, SockAddr address, int family) {
        if (address.family() != family) {
            throw new AssertionError(address);
        }
        ByteBuf written = Unpooled.buffer();
        AddressedDatagram.writeHeader(written, address);
        byte[] header = ByteBufUtil.getBytes(written);
        // Of another family's address the form is another, and the meaning is the same.
        if (header.length == headerBytes && !Arrays.equals(header, Arrays.copyOf(datagram, headerBytes))) {
            throw new AssertionError(ByteBufUtil.hexDump(header));
        }
        if (!AddressedDatagram.readHeader(written, family).equals(new AddressedDatagram.Destination.Address(address))) {
            throw new AssertionError(ByteBufUtil.hexDump(header));
        }
    }
}
