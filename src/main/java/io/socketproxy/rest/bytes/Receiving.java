package io.socketproxy.rest.bytes;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.socketproxy.address.InetText;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.http.BodyProperties;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.overload.Exhausted;
import io.socketproxy.overload.Room;
import io.socketproxy.policy.Transport;
import io.socketproxy.registry.Handle;
import io.socketproxy.registry.Sockets;
import io.socketproxy.rest.AddressJson;
import io.socketproxy.rest.Constant;
import io.socketproxy.socket.Deadline;
import io.socketproxy.socket.Message;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.ResponseEntity;
import org.springframework.stereotype.Component;

/** Receives what a call wishes for, and answers in the form that it wishes. */
@Component
class Receiving {
    private final Sockets sockets;
    private final BodyProperties limits;

    Receiving(Sockets sockets, BodyProperties limits) {
        this.sockets = sockets;
        this.limits = limits;
    }

    /** @param text what the data are in UTF-8; absent where they are none, or there is no memory to spare for both */
    record ReceivedJson(
            byte[] data,

            @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable
            String text,

            @Nullable AddressJson address,
            int flags,
            boolean eof,
            long length) {}

    /**
     * What is to be received.
     *
     * @param until a stream's delimiter, up to and with which is received; null for what is there
     */
    record Wish(int size, int flags, byte @Nullable [] until, Form form, boolean withSource) {}

    /**
     * Checks a call's arguments.
     *
     * @throws SocketFault EINVAL, EMSGSIZE and EOPNOTSUPP naming the one that cannot be
     */
    Wish wish(long bufsize, @Nullable Constant flags, @Nullable String until, Form form, boolean withSource) {
        if (bufsize < 0) {
            throw SocketFault.invalid("bufsize", "bufsize must be 0 or more, not " + bufsize + ".");
        }
        int nativeFlags = Constant.messageFlags(flags);
        int size = (int) Math.min(bufsize, limits.maxBody().toBytes());
        if (size < bufsize && (nativeFlags & Constants.MSG_WAITALL) != 0) {
            throw SocketFault.argument(
                    Errno.EMSGSIZE,
                    "bufsize",
                    "With MSG_WAITALL bufsize must be " + limits.maxBody().toBytes() + " at most.");
        }
        if (until != null && until.isEmpty()) {
            throw SocketFault.invalid("until", "until is empty. Give the delimiter (%0D%0A is the end of a line).");
        }
        if (until != null && nativeFlags != 0) {
            throw SocketFault.argument(
                    Errno.EOPNOTSUPP,
                    "flags",
                    "until takes no flags. Leave them out; timeoutMs=0 does not wait for the delimiter.");
        }
        return new Wish(
                size, nativeFlags, until == null ? null : until.getBytes(StandardCharsets.UTF_8), form, withSource);
    }

    /**
     * Receives, and answers; 204 where nothing came in time.
     *
     * @throws SocketFault EBUSY where a stream is attached
     */
    ResponseEntity<?> receive(Handle handle, Wish wish, Deadline deadline, Room room) {
        Message message = message(handle, wish, deadline, room);
        if (message == null) {
            return ResponseEntity.noContent().build();
        }
        SockAddr source = wish.withSource() ? message.source() : null;
        if (wish.form() == Form.JSON) {
            return ResponseEntity.ok()
                    .contentType(Form.JSON.type())
                    .body(new ReceivedJson(
                            message.data(),
                            text(message.data(), room),
                            source == null ? null : AddressJson.of(source),
                            message.flags(),
                            message.eof(),
                            message.length()));
        }
        return ResponseEntity.ok()
                .contentType(wish.form().type())
                .headers(headers -> describe(headers, message, source))
                .body(message.data());
    }

    private @Nullable Message message(Handle handle, Wish wish, Deadline deadline, Room room) {
        byte[] until = wish.until();
        if (until != null) {
            requireStream(handle, "until");
            handle.requireNoStream();
            return handle.socket().reader().receiveUntil(until, wish.size(), deadline, room);
        }
        boolean udp = handle.socket().transport() == Transport.UDP;
        return sockets.receive(
                handle, udp ? Math.min(wish.size(), Message.MAX_UDP_BYTES) : wish.size(), wish.flags(), deadline, room);
    }

    /** @throws SocketFault EINVAL where the socket's datagrams have no end to look for */
    static void requireStream(Handle handle, String parameter) {
        if (!handle.socket().isStream()) {
            throw SocketFault.invalid(
                    parameter,
                    parameter
                            + " is for stream sockets. Leave it out: each recv of a datagram socket is one datagram.");
        }
    }

    private static @Nullable String text(byte[] data, Room room) {
        // Two bytes a character while it is decoded, and then at most two again.
        long decoding = 2L * data.length;
        try {
            room.take(2 * decoding);
        } catch (Exhausted e) {
            return null;
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(data))
                    .toString();
        } catch (CharacterCodingException e) {
            room.giveBack(decoding);
            return null;
        } finally {
            room.giveBack(decoding);
        }
    }

    private static void describe(HttpHeaders headers, Message message, @Nullable SockAddr source) {
        headers.set("Socket-Msg-Flags", Integer.toString(message.flags()));
        headers.set("Socket-Msg-Length", Long.toString(message.length()));
        if (source != null) {
            headers.set("Socket-Address-Host", InetText.host(source));
            switch (source) {
                case SockAddr.Inet4 inet -> headers.set("Socket-Address-Port", Integer.toString(inet.port()));
                case SockAddr.Inet6 inet -> headers.set("Socket-Address-Port", Integer.toString(inet.port()));
                case SockAddr.Unix unix -> {}
            }
        }
    }
}
