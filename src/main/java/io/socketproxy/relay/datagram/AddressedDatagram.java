package io.socketproxy.relay.datagram;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.socketproxy.address.Endpoint;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.SockAddr;
import java.nio.charset.StandardCharsets;

/** A datagram's address in front of it, as RFC 1928 section 7 has it: 2 bytes 0, fragment 0, type, address, port, data. */
public final class AddressedDatagram {
    /** The longest header, one with a name, in bytes. */
    public static final int MAX_HEADER_BYTES = 4 + 1 + 255 + 2;

    private static final int IPV4 = 1;
    private static final int NAME = 3;
    private static final int IPV6 = 4;
    private static final long MAPPED = 0xffff_0000_0000L;

    private AddressedDatagram() {}

    /** Where a datagram goes. */
    public sealed interface Destination {
        record Address(SockAddr address) implements Destination {}

        /** To be resolved. */
        record Name(Endpoint endpoint) implements Destination {}
    }

    /**
     * Reads the header, behind which the data stays.
     *
     * @param family the socket's: an IPv4 address goes into IPv6's mapped form where that is AF_INET6, and back
     * @throws SocketFault EINVAL where it is none, EAFNOSUPPORT where the socket has no such addresses
     */
    public static Destination readHeader(ByteBuf datagram, int family) {
        if (datagram.readableBytes() < 5) {
            throw SocketFault.invalid("address", "A datagram begins with a header of RFC 1928 section 7.");
        }
        if (datagram.readShort() != 0) {
            throw SocketFault.invalid("address", "A datagram's first two bytes must be 0.");
        }
        if (datagram.readByte() != 0) {
            throw SocketFault.invalid("address", "Fragments of datagrams are not taken: the third byte must be 0.");
        }
        int type = datagram.readUnsignedByte();
        int length =
                switch (type) {
                    case IPV4 -> 4;
                    case NAME -> datagram.readUnsignedByte();
                    case IPV6 -> 16;
                    default ->
                        throw SocketFault.invalid("address", "The address type must be 1, 3 or 4, not " + type + ".");
                };
        if (datagram.readableBytes() < length + 2 || length == 0) {
            throw SocketFault.invalid("address", "The datagram ends within its header.");
        }
        byte[] bytes = ByteBufUtil.getBytes(datagram, datagram.readerIndex(), length);
        datagram.skipBytes(length);
        int port = datagram.readUnsignedShort();
        return switch (type) {
            case IPV4 -> new Destination.Address(fitted(SockAddr.Inet4.of(bytes, port), family));
            case NAME -> new Destination.Name(Endpoint.of(new String(bytes, StandardCharsets.UTF_8), port));
            default -> new Destination.Address(fitted(SockAddr.Inet6.of(bytes, port, 0, 0), family));
        };
    }

    private static SockAddr fitted(SockAddr address, int family) {
        if (address.family() == family) {
            return address;
        }
        if (address instanceof SockAddr.Inet4 inet && family == Constants.AF_INET6) {
            return new SockAddr.Inet6(0, MAPPED | Integer.toUnsignedLong(inet.address()), inet.port(), 0, 0);
        }
        if (address instanceof SockAddr.Inet6 inet && inet.high() == 0 && inet.low() >>> 32 == MAPPED >>> 32) {
            return new SockAddr.Inet4((int) inet.low(), inet.port());
        }
        throw SocketFault.argument(
                Errno.EAFNOSUPPORT, "address", "The socket has no addresses of this type. Give one of its family.");
    }

    /** Writes the header of an Internet address. */
    public static void writeHeader(ByteBuf to, SockAddr address) {
        to.writeMedium(0);
        switch (address) {
            case SockAddr.Inet4 inet ->
                to.writeByte(IPV4).writeBytes(inet.addressBytes()).writeShort(inet.port());
            case SockAddr.Inet6 inet ->
                to.writeByte(IPV6).writeBytes(inet.addressBytes()).writeShort(inet.port());
            case SockAddr.Unix unix -> throw new IllegalArgumentException("no Internet address");
        }
    }
}
