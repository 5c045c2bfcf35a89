package io.socketproxy.socket;

import static io.socketproxy.libc.Constants.MSG_PEEK;
import static io.socketproxy.libc.Constants.MSG_WAITALL;
import static io.socketproxy.libc.Constants.POLLIN;
import static io.socketproxy.libc.Constants.SHUT_RDWR;
import static io.socketproxy.libc.Constants.SOCK_STREAM;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.netty.channel.IoEventLoop;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Libc;
import io.socketproxy.socket.waiting.EpollRegistration;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Who goes, or gives up, while it waits takes nothing, and leaves nothing behind. */
class CallersGoneTest extends SocketTest {
    @Test
    void aCallerThatGoesTakesNoData() throws Exception {
        BsdSocket[] pair = connection();
        Impatient caller = new Impatient();
        Future<String> received = calling(() -> receive(pair[1], 10, 0, Deadline.in(LONG, caller)));
        until("the call waits", caller::isWaitedFor);
        caller.go();
        assertThatGone(received);

        send(pair[0], "kept");

        assertThat(receive(pair[1], 10, 0, upTo(LONG))).isEqualTo("kept");
    }

    @Test
    void aCallerThatGoesTakesNoConnection() throws Exception {
        BsdSocket listener = listener(5);
        Impatient caller = new Impatient();
        Future<?> accepted = calling(() -> listener.accept(() -> FREE, readiness.loops(), Deadline.in(LONG, caller)));
        until("the call waits", caller::isWaitedFor);
        caller.go();
        assertThatGone(accepted);

        BsdSocket client = tcp();
        connect(client, listener.localAddress(), upTo(LONG));
        BsdSocket.Accepted next = listener.accept(() -> FREE, readiness.loops(), upTo(LONG));

        assertThat(next).isNotNull();
        keep(next.socket());
        assertThat(next.peer()).isEqualTo(client.localAddress());
    }

    @Test
    void whatWaitallHadGatheredForACallerThatWentIsTheNextReceives() throws Exception {
        BsdSocket[] pair = connection();
        Impatient caller = new Impatient();
        send(pair[0], "abcd");
        Future<String> received = calling(() -> receive(pair[1], 10, MSG_WAITALL, Deadline.in(LONG, caller)));
        until("the call waits for the rest", caller::isWaitedFor);
        Impatient poller = new Impatient();
        Future<int[]> polled =
                calling(() -> Poll.poll(List.of(new Poll.Interest(pair[1], POLLIN)), Deadline.in(LONG, poller)));
        until("the poll waits", poller::isWaitedFor);

        caller.go();

        assertThatGone(received);
        assertThat(polled.get(20, TimeUnit.SECONDS))
                .as("who polls is told, though the kernel's buffer is empty")
                .containsExactly(POLLIN);
        send(pair[0], "ef");
        assertThat(receive(pair[1], 2, MSG_PEEK, upTo(LONG))).isEqualTo("ab");
        assertThat(receive(pair[1], 3, 0, upTo(LONG))).isEqualTo("abc");
        assertThat(receive(pair[1], 3, MSG_WAITALL, upTo(LONG))).isEqualTo("def");
        assertThat(pair[1].bytesIn()).isEqualTo(6);
        assertThat(receive(pair[1], 10, 0, Deadline.immediate())).isNull();
    }

    @Test
    void thoseWhoGaveUpOnWaitingAreForgotten() throws Exception {
        int[] descriptors = new int[2];
        assertThat(Libc.socketpair(Constants.AF_UNIX, SOCK_STREAM, 0, descriptors))
                .isZero();
        IoEventLoop loop = readiness.next();
        CompletableFuture<Void> unregistered = new CompletableFuture<>();
        EpollRegistration watch = new EpollRegistration(descriptors[0], loop, () -> unregistered.complete(null));
        Future<Integer> patient = watch.await(POLLIN);
        for (int i = 0; i < 5_000; i++) {
            watch.await(POLLIN).cancel(false);
        }

        assertThat(loop.submit(watch::waiting).get(20, TimeUnit.SECONDS)).isLessThan(100);

        Libc.shutdown(descriptors[1], SHUT_RDWR);
        assertThat(patient.get(20, TimeUnit.SECONDS) & POLLIN).isEqualTo(POLLIN);
        watch.cancel();
        unregistered.get(20, TimeUnit.SECONDS);
        Libc.close(descriptors[0]);
        Libc.close(descriptors[1]);
    }

    private static void assertThatGone(Future<?> call) {
        assertThatExceptionOfType(ExecutionException.class)
                .isThrownBy(() -> call.get(20, TimeUnit.SECONDS))
                .withCauseInstanceOf(Caller.Gone.class);
    }

    @Test
    void whoGivesUpOnWaitingLeavesNothingBehind() throws Exception {
        BsdSocket socket = udp();
        List<WeakReference<Future<Integer>>> gaveUp = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            Future<Integer> ready = socket.whenReady(POLLIN);
            gaveUp.add(new WeakReference<>(ready));
            ready.cancel(false);
        }
        socket.loop().submit(() -> {}).get(20, TimeUnit.SECONDS);
        until("none of them is held", () -> {
            System.gc();
            return gaveUp.stream().allMatch(each -> each.refersTo(null));
        });
    }
}
