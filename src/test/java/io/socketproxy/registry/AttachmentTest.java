package io.socketproxy.registry;

import static io.socketproxy.libc.Constants.AF_INET;
import static io.socketproxy.libc.Constants.AF_UNSPEC;
import static io.socketproxy.libc.Constants.SOCK_STREAM;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.IoEventLoop;
import io.socketproxy.address.Endpoint;
import io.socketproxy.libc.Errno;
import io.socketproxy.quota.LimitProperties;
import io.socketproxy.socket.Permit;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** Who has a socket's bytes to itself, and on which event loop. */
class AttachmentTest extends SocketsFixture {
    private static final Object FIRST = new Object();
    private static final Object SECOND = new Object();

    private Attachment attach(Handle handle, Object stream) {
        return Objects.requireNonNull(sockets.attach(handle, stream, null));
    }

    @Test
    void oneAtATimeAndTheLeaseWaits() {
        Handle handle = sockets.open(ANN, AF_INET, SOCK_STREAM, 0, null);

        Attachment attachment = attach(handle, FIRST);

        assertThat(sockets.attach(handle, SECOND, null)).isNull();
        assertThat(handle.attachment()).isSameAs(FIRST);
        attachment.detach();
        assertThat(handle.isAttached()).isFalse();
        attachment.close();
        Attachment next = attach(handle, SECOND);
        next.detach();
        next.close();
    }

    @Test
    void theLeaveIsTheSocketsAndGoesOnToWhoTakesThePlace() {
        sockets.close();
        sockets = sockets(new LimitProperties(10, 0, 1, 0, 0, 1));
        Handle handle = sockets.open(ANN, AF_INET, SOCK_STREAM, 0, null);
        Handle other = sockets.open(ANN, AF_INET, SOCK_STREAM, 0, null);
        Attachment attachment = attach(handle, FIRST);
        assertThat(errno(() -> sockets.attach(other, SECOND, null))).isEqualTo(Errno.EMFILE);

        Permit leave = attachment.handOver();
        attachment.detach();
        attachment.close();
        Attachment next = Objects.requireNonNull(sockets.attach(handle, SECOND, leave));

        assertThat(errno(() -> sockets.attach(other, FIRST, null))).isEqualTo(Errno.EMFILE);
        next.detach();
        next.close();
        Attachment last = attach(other, FIRST);
        last.detach();
        last.close();
    }

    @Test
    void aLeaveThatIsHandedOverInVainIsGivenBack() {
        sockets.close();
        sockets = sockets(new LimitProperties(10, 0, 2, 0, 0, 1));
        Handle handle = sockets.open(ANN, AF_INET, SOCK_STREAM, 0, null);
        Handle other = sockets.open(ANN, AF_INET, SOCK_STREAM, 0, null);
        Attachment attachment = attach(handle, FIRST);
        Permit leave = attach(other, FIRST).handOver();

        assertThat(sockets.attach(handle, SECOND, leave)).isNull();

        Attachment third = attach(sockets.open(ANN, AF_INET, SOCK_STREAM, 0, null), FIRST);
        third.detach();
        third.close();
        attachment.detach();
        attachment.close();
    }

    @Test
    void manySocketsLiveOnTheLoopThatIsAskedFor() {
        IoEventLoop loop = readiness.next();
        Handle listener = listener(BOB);

        for (int i = 0; i < 4; i++) {
            Handle opened = sockets.open(ANN, AF_INET, SOCK_STREAM, 0, null, loop);
            Handle connected = sockets.openConnected(
                    ANN, AF_UNSPEC, SOCK_STREAM, Endpoint.of("127.0.0.1", port(listener)), null, upTo(LONG), loop);
            Sockets.Accepted accepted = Objects.requireNonNull(sockets.acceptForStream(listener, loop));

            assertThat(opened.socket().loop()).isSameAs(loop);
            assertThat(connected.socket().loop()).isSameAs(loop);
            assertThat(accepted.handle().socket().loop()).isSameAs(loop);
        }
    }
}
