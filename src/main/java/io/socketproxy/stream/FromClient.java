package io.socketproxy.stream;

import io.netty.buffer.ByteBuf;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Errno;
import io.socketproxy.registry.SocketEvents.DetachReason;
import io.socketproxy.relay.SocketEnd;
import io.socketproxy.tls.TlsRequest;
import io.socketproxy.websocket.ClientConnection;
import io.socketproxy.websocket.CloseCode;
import java.nio.charset.StandardCharsets;

/** What a session's client says and sends, and how it goes. On the loop. */
final class FromClient implements ClientConnection.Events {
    private final Session session;
    private final SocketEnd end;
    private final StreamMode mode;
    private final Flow flow;
    private final Replies replies;
    private final Control control;
    private final StreamTls tls;
    private long bytes;

    FromClient(
            Session session,
            SocketEnd end,
            StreamMode mode,
            Flow flow,
            Replies replies,
            Control control,
            StreamTls tls) {
        this.session = session;
        this.end = end;
        this.mode = mode;
        this.flow = flow;
        this.replies = replies;
        this.control = control;
        this.tls = tls;
    }

    /** How many were taken for the socket. */
    long bytes() {
        return bytes;
    }

    @Override
    public void binary(ByteBuf data) {
        if (!session.isOpen()) {
            data.release();
            return;
        }
        int length = data.readableBytes();
        String excess = flow.excess(length);
        if (excess != null) {
            data.release();
            end.cut();
            session.finish(DetachReason.CLIENT_ERROR, CloseCode.POLICY, excess);
            return;
        }
        if (tls.isAwaited()) {
            data.release();
            end.cut();
            session.finish(
                    DetachReason.CLIENT_ERROR,
                    CloseCode.POLICY,
                    Errno.EPROTO + ": Nothing may be sent between starttls and tls");
            return;
        }
        if (end.isShut()) {
            data.release();
            refuseWrite();
            return;
        }
        bytes += length;
        end.write(data);
        flow.relayed(length);
        flow.acknowledge();
        flow.update();
    }

    /** A stream that is shut down for writing has EPIPE for an answer, as in the kernel; raw mode has no word for it but the last. */
    private void refuseWrite() {
        if (mode.control()) {
            session.problem(
                    Errno.EPIPE, "the socket is shut down for writing; what is sent to it now is not delivered");
        } else {
            session.finish(
                    DetachReason.TARGET_FAILED,
                    CloseCode.SERVER_ERROR,
                    Errno.EPIPE + ": the socket is shut down for writing");
        }
    }

    @Override
    public void text(ByteBuf utf8) {
        if (!mode.control()) {
            binary(utf8);
            return;
        }
        String text = utf8.toString(StandardCharsets.UTF_8);
        utf8.release();
        if (!session.isOpen()) {
            return;
        }
        try {
            obey(control.parse(text));
        } catch (SocketFault fault) {
            session.problem(fault.errno(), fault.getMessage());
        }
        flow.update();
    }

    private void obey(Control.Message message) {
        switch (message) {
            case Control.Shutdown(int how) -> end.shutdown(how);
            case Control.Ack(long received) -> end.acknowledge(received);
            case Control.Close() -> session.closeHandle();
            case Control.StartTls(TlsRequest request) -> tls.start(request);
        }
    }

    @Override
    public void writable() {
        if (session.isOpen()) {
            replies.writable();
        }
        flow.acknowledge();
        flow.update();
    }

    @Override
    public void closed(int code) {
        if (code != CloseCode.NORMAL && code != CloseCode.NO_STATUS && !mode.ephemeral()) {
            // A page that is left in the middle of something; what was to come may still come, by another stream.
            end.cut();
        }
        session.clientGone(DetachReason.CLIENT_CLOSED);
    }

    @Override
    public void violated(int code, String reason) {
        end.cut();
        session.over(DetachReason.CLIENT_ERROR);
    }

    @Override
    public void gone() {
        end.cut();
        session.clientGone(DetachReason.CLIENT_LOST);
    }
}
