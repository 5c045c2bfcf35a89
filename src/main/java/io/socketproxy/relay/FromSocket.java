package io.socketproxy.relay;

import io.netty.buffer.ByteBuf;
import io.socketproxy.fault.Call;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Errno;
import io.socketproxy.socket.BsdSocket;
import io.socketproxy.wire.Wire;
import org.jspecify.annotations.Nullable;

/** What a {@link ByteStreamEnd}'s wire tells, and what has become of the connection by that. On the socket's event loop. */
final class FromSocket implements Wire.Reader {
    private final ByteStreamEnd end;
    private final BsdSocket socket;
    private final Downlink downlink;
    private final Uplink uplink;
    private final LastDelivery lastDelivery;

    private boolean eof;
    private @Nullable SocketFault failure;
    private @Nullable Errno writeFailure;

    /** @param writeFailure an error that came before there was a reader; null for none */
    FromSocket(
            ByteStreamEnd end,
            BsdSocket socket,
            Downlink downlink,
            Uplink uplink,
            LastDelivery lastDelivery,
            @Nullable Errno writeFailure) {
        this.end = end;
        this.socket = socket;
        this.downlink = downlink;
        this.uplink = uplink;
        this.lastDelivery = lastDelivery;
        this.writeFailure = writeFailure;
    }

    /** Whether the peer has ended in good order. */
    boolean hasEof() {
        return eof;
    }

    /** What nothing more can be read for; null while something can. */
    @Nullable
    SocketFault failure() {
        return failure;
    }

    /** Whether the peer takes what is written, as far as is known. */
    boolean canWrite() {
        return writeFailure == null;
    }

    /** Nothing goes any way any more. */
    void ended(SocketFault why) {
        failure = why;
        writeFailure = why.errno();
    }

    /** Whether calls receive, by TLS, since no stream does. */
    private @Nullable EndTls forCalls() {
        return end.sink() == null && !end.isClosing() ? end.tls() : null;
    }

    @Override
    public int room() {
        EndTls calls = forCalls();
        return calls == null ? downlink.room() : calls.layer().room();
    }

    @Override
    public void read(ByteBuf data) {
        EndTls calls = forCalls();
        if (calls == null) {
            downlink.read(data);
        } else {
            calls.read(data);
        }
    }

    @Override
    public void eof() {
        if (writeFailure != null) {
            readFailed(writeFailure);
            return;
        }
        eof = true;
        EndTls tls = end.tls();
        if (tls != null) {
            tls.layer().ended();
        }
        Sink to = end.sink();
        if (to != null) {
            to.eof();
        } else if (end.isClosing()) {
            lastDelivery.eof();
        }
    }

    @Override
    public void readFailed(Errno errno) {
        SocketFault fault = fault(errno);
        failure = fault;
        EndTls tls = end.tls();
        if (tls != null) {
            tls.layer().failed(fault);
        }
        Sink to = end.sink();
        if (to != null) {
            to.failed(fault);
        } else if (end.isClosing()) {
            end.close();
        }
    }

    private SocketFault fault(Errno errno) {
        EndTls tls = end.tls();
        SocketFault of = tls == null || errno != Errno.EPROTO ? null : tls.failure();
        return of == null ? new SocketFault(errno, Call.RECEIVE, null).at(socket::situation) : of;
    }

    @Override
    public void broken() {
        writeFailure = Errno.ENOBUFS;
        uplink.drained();
        end.contained(() -> readFailed(Errno.ENOBUFS));
        end.reset();
    }

    @Override
    public void writable() {
        EndTls tls = end.tls();
        if (tls != null) {
            tls.layer().writable();
        }
        Sink to = end.sink();
        if (to != null) {
            to.socketWritable();
        }
    }

    @Override
    public void taken() {
        Sink to = end.sink();
        if (to != null) {
            to.socketTook();
        }
    }

    @Override
    public void drained() {
        uplink.drained();
        if (end.isClosing()) {
            lastDelivery.drained(eof);
        }
    }

    @Override
    public void writeFailed(Errno errno) {
        // What the peer sent before is still read.
        writeFailure = errno;
        uplink.drained();
        EndTls tls = end.tls();
        if (tls != null) {
            tls.layer().refuse(fault(errno));
        }
        Sink to = end.sink();
        if (eof || end.isClosing()) {
            readFailed(errno);
        } else if (to != null) {
            to.socketWritable();
        }
    }
}
