package io.socketproxy.relay;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.util.concurrent.FastThreadLocal;
import io.socketproxy.address.Endpoint;
import io.socketproxy.address.GaiError;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.Libc;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.policy.Cleared;
import io.socketproxy.registry.Handle;
import io.socketproxy.registry.PolicyDenied;
import io.socketproxy.registry.Sockets;
import io.socketproxy.relay.datagram.AddressedDatagram;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A datagram socket's side: one message is one datagram. What a client does not take in time is the kernel's to drop, as on any
 * network.
 */
final class DatagramEnd extends ReadyEnd {
    private static final Logger LOG = LoggerFactory.getLogger(DatagramEnd.class);

    /** The longest datagram of IP, and more than AF_UNIX sends by default. */
    private static final int MAX_DATAGRAM_BYTES = 65_535;

    /** Datagrams in a row before others on the loop have their turn. */
    private static final int DATAGRAMS_A_TURN = 64;

    /** Destinations whose judgement is remembered, and for how long. */
    private static final int JUDGEMENTS = 256;

    private static final long JUDGEMENT_NANOS = 10_000_000_000L;

    /** Names that are looked up at once, and what the datagrams that wait for them may take. */
    private static final int MAX_LOOKUPS = 16;

    private static final int MAX_LOOKUP_BYTES = 256 * 1024;

    private static final FastThreadLocal<MemorySegment> RECEIVED = new FastThreadLocal<>() {
        @Override
        protected MemorySegment initialValue() {
            return Arena.ofAuto().allocate(MAX_DATAGRAM_BYTES);
        }
    };

    /** What policy said of a destination, until when that holds, and for which state of the network. */
    private record Judgement(
            Cleared.@Nullable Remote cleared, @Nullable SocketFault denial, long until, long generation) {}

    private final Sockets sockets;
    private final boolean addressed;
    private final int headroom;
    private final Map<Object, Judgement> judgements = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Object, Judgement> eldest) {
            return size() > JUDGEMENTS;
        }
    };

    private int lookups;
    private int lookupBytes;

    // A datagram that the kernel did not take yet.
    private @Nullable ByteBuf waiting;
    private Cleared.@Nullable Remote waitingFor;
    private @Nullable Future<?> sending;

    /**
     * @param addressed whether each message has a header with the datagram's address
     * @param headroom bytes left free in front of each
     */
    DatagramEnd(Sockets sockets, Handle handle, boolean addressed, int headroom) {
        super(handle);
        this.sockets = sockets;
        this.addressed = addressed;
        this.headroom = headroom;
    }

    @Override
    public int maxMessageBytes() {
        return MAX_DATAGRAM_BYTES + (addressed ? AddressedDatagram.MAX_HEADER_BYTES : 0);
    }

    @Override
    public void detach() {
        super.detach();
        if (waiting != null) {
            waiting.release();
            waiting = null;
        }
        if (sending != null) {
            sending.cancel(false);
            sending = null;
        }
    }

    @Override
    void take() {
        MemorySegment buffer = RECEIVED.get();
        for (int datagrams = 0; ; datagrams++) {
            Sink to = reader();
            if (to == null) {
                return;
            }
            if (datagrams == DATAGRAMS_A_TURN) {
                break;
            }
            try {
                Libc.Received received = socket.receiveNow(buffer);
                if (received == null) {
                    break;
                }
                int length = (int) Math.min(received.length(), MAX_DATAGRAM_BYTES);
                to.data(message(buffer, length, received.source()));
            } catch (SocketFault fault) {
                if (fault.errno() == Errno.EBADF) {
                    return;
                }
                to.problem(fault.errno(), fault.at(socket::situation).getMessage());
            }
        }
        arm();
    }

    private ByteBuf message(MemorySegment buffer, int length, @Nullable SockAddr source) {
        ByteBuf message =
                PooledByteBufAllocator.DEFAULT.directBuffer(headroom + AddressedDatagram.MAX_HEADER_BYTES + length);
        message.setIndex(headroom, headroom);
        if (addressed && source != null) {
            AddressedDatagram.writeHeader(message, source);
        }
        return message.writeBytes(buffer.asSlice(0, length).asByteBuffer());
    }

    @Override
    public void write(ByteBuf data) {
        if (!addressed) {
            send(data, null);
            return;
        }
        try {
            switch (AddressedDatagram.readHeader(data, socket.family())) {
                case AddressedDatagram.Destination.Address(SockAddr address) ->
                    sendJudged(data, judge(address, () -> sockets.clearDestination(handle, address)));
                case AddressedDatagram.Destination.Name(Endpoint endpoint) -> sendResolved(data, endpoint);
            }
        } catch (SocketFault fault) {
            data.release();
            problem(fault);
        }
    }

    private Judgement judge(Object destination, Supplier<Cleared.Remote> ask) {
        Judgement known = known(destination);
        if (known != null) {
            return known;
        }
        Judgement judgement = judgement(ask);
        keep(destination, judgement);
        return judgement;
    }

    /** What was said of a destination a moment ago, or null. */
    private @Nullable Judgement known(Object destination) {
        Judgement known = judgements.get(destination);
        return known != null
                        && known.until() - System.nanoTime() > 0
                        && known.generation() == sockets.networkGeneration()
                ? known
                : null;
    }

    private Judgement judgement(Supplier<Cleared.Remote> ask) {
        // Before it is asked: a change meanwhile is one after.
        long generation = sockets.networkGeneration();
        Cleared.Remote cleared = null;
        SocketFault fault = null;
        try {
            cleared = ask.get();
        } catch (SocketFault e) {
            fault = e;
        } catch (GaiError e) {
            fault = new SocketFault(Errno.EHOSTUNREACH, e.gaiName() + ": " + e.getMessage());
        } catch (RuntimeException e) {
            LOG.error("judging a destination of {}", handle.id(), e);
            fault = new SocketFault(
                    Errno.ENOBUFS, "The destination could not be judged, and the datagram was dropped. Send it again.");
        }
        return new Judgement(cleared, fault, System.nanoTime() + JUDGEMENT_NANOS, generation);
    }

    private void keep(Object destination, Judgement judgement) {
        // What else may fail, a look-up that came too fast say, is nothing about the destination.
        if (judgement.cleared() != null || judgement.denial() instanceof PolicyDenied) {
            judgements.put(destination, judgement);
        }
    }

    private void sendJudged(ByteBuf data, Judgement judgement) {
        if (judgement.cleared() != null) {
            send(data, judgement.cleared());
        } else {
            data.release();
            if (judgement.denial() != null) {
                problem(judgement.denial());
            }
        }
    }

    /** Looks the name up on another thread; datagrams behind it do not wait. */
    private void sendResolved(ByteBuf data, Endpoint endpoint) {
        Judgement known = known(endpoint);
        if (known != null) {
            sendJudged(data, known);
            return;
        }
        int held = data.capacity();
        if (lookups == MAX_LOOKUPS || lookupBytes + held > MAX_LOOKUP_BYTES) {
            data.release();
            problem(
                    new SocketFault(
                            Errno.EAGAIN,
                            "Too many names are being looked up, and the datagram was dropped. Send it again later, or to an address."));
            return;
        }
        lookups++;
        lookupBytes += held;
        Thread.ofVirtual().name("datagram-lookup").start(() -> {
            Judgement judgement = judgement(() -> sockets.clearDestination(handle, endpoint));
            socket.loop().execute(() -> {
                lookups--;
                lookupBytes -= held;
                keep(endpoint, judgement);
                if (sink() == null) {
                    data.release();
                } else {
                    sendJudged(data, judgement);
                }
            });
        });
    }

    private void send(ByteBuf data, Cleared.@Nullable Remote destination) {
        if (waiting != null) {
            // Nothing comes while one waits, but for those whose name was being looked up.
            data.release();
            return;
        }
        boolean sent = true;
        try {
            sent = trySend(data, destination);
        } catch (SocketFault fault) {
            Sink from = sink();
            if (fault.errno() == Errno.EMSGSIZE && from != null) {
                from.tooBig(fault.errno(), fault.getMessage());
            } else {
                problem(fault);
            }
        } finally {
            if (sent) {
                data.release();
            }
        }
        if (!sent) {
            waiting = data;
            waitingFor = destination;
            sending = whenReady(Constants.POLLOUT, this::sendWaiting);
        }
    }

    private boolean trySend(ByteBuf data, Cleared.@Nullable Remote destination) {
        MemorySegment bytes = data.isReadable()
                ? MemorySegment.ofBuffer(data.internalNioBuffer(data.readerIndex(), data.readableBytes()))
                : MemorySegment.NULL;
        try {
            return sockets.sendNow(handle, bytes, destination);
        } catch (SocketFault fault) {
            if (fault.errno() != Errno.ECONNREFUSED) {
                throw fault;
            }
            // Told of an earlier datagram by ICMP; this one was not sent.
            problem(fault);
            return sockets.sendNow(handle, bytes, destination);
        }
    }

    private void sendWaiting() {
        ByteBuf data = waiting;
        if (data != null) {
            waiting = null;
            send(data, waitingFor);
            Sink from = sink();
            if (waiting == null && from != null) {
                from.socketWritable();
            }
        }
    }

    private void problem(SocketFault fault) {
        Sink from = sink();
        if (from != null) {
            from.problem(fault.errno(), fault.at(socket::situation).getMessage());
        }
    }

    @Override
    public boolean isWritable() {
        return waiting == null;
    }
}
