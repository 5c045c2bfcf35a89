package io.socketproxy.stream;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.registry.Handle;
import io.socketproxy.socket.SocketFault;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** What a client's messages hold: control messages, and the addresses of datagrams. */
class MessagesFuzzTest {
    private static final int MAX_DETAIL_CHARS = 400;

    /** As strict as the service's. */
    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS, DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
            .build();

    private final Control control = new Control(MAPPER, new StreamViews() {
        @Override
        public Object socket(Handle handle) {
            throw new AssertionError();
        }

        @Override
        public Object address(SockAddr address) {
            throw new AssertionError();
        }
    });

    @FuzzTest
    void control(byte[] utf8) {
        String text = new String(utf8, StandardCharsets.UTF_8);
        try {
            Control.Message message = control.parse(text);
            boolean isRight =
                    switch (message) {
                        case Control.Shutdown(int how) -> how >= Constants.SHUT_RD && how <= Constants.SHUT_RDWR;
                        case Control.Ack(long received) -> received >= 0;
                        case Control.Close() -> true;
                    };
            if (!isRight) {
                throw new AssertionError(message.toString());
            }
        } catch (SocketFault fault) {
            String detail = String.valueOf(fault.getMessage());
            if (fault.errno() != Errno.EINVAL || detail.length() > MAX_DETAIL_CHARS) {
                throw new AssertionError(fault);
            }
            MAPPER.readTree(control.error(fault.errno(), detail));
        }
    }

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
