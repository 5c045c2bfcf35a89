package io.socketproxy.fault;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.libc.Errno;
import io.socketproxy.libc.SockAddr;
import java.util.Arrays;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class SentencesTest {
    private static final SockAddr HERE = new SockAddr.Inet4(0x7f000001, 4000);
    private static final SockAddr THERE = new SockAddr.Inet4(0xc0000201, 80);
    private static final SockAddr SIX = new SockAddr.Inet6(0x20010db8L << 32, 1, 443, 0, 0);
    private static final SockAddr UNNAMED = new SockAddr.Unix("");

    /** Whatever is known and whatever is not. */
    @ParameterizedTest
    @EnumSource
    void saysWhatHappenedAndWhatToDoInSentences(Errno errno) {
        for (Call call : Call.values()) {
            for (@Nullable Object subject : new @Nullable Object[] {null, HERE, SIX, UNNAMED, "SO_X of SOL_SOCKET"}) {
                situations().forEach(at -> {
                    String text = Sentences.of(errno, call, subject, at).whole();
                    assertThat(text)
                            .as("%s %s %s", call, errno, at)
                            .matches("(?s)[A-Z0-9\\[/@].*[^.]\\.")
                            .doesNotContain("null", "..", "  ");
                });
            }
        }
    }

    private static Stream<@Nullable Situation> situations() {
        return Stream.concat(
                Stream.of((Situation) null),
                Arrays.stream(SocketState.values())
                        .flatMap(state -> Stream.of(
                                new Situation(true, state, HERE, null, false),
                                new Situation(true, state, UNNAMED, UNNAMED, true),
                                new Situation(false, state, HERE, THERE, false))));
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', textBlock = """
            ECONNREFUSED ; CONNECT ; 192.0.2.1:80 refused the connection: nothing listens there. Check host and port, or try again later.
            ETIMEDOUT    ; CONNECT ; 192.0.2.1:80 did not answer in time. Check the address, or allow more time.
            EHOSTUNREACH ; CONNECT ; The network has no way to 192.0.2.1:80. Check the address.
            ENETUNREACH  ; CONNECT ; The server has no route to 192.0.2.1:80. Check the address.
            EADDRNOTAVAIL; CONNECT ; No local port is free for a connection to 192.0.2.1:80. Try again later.
            EADDRNOTAVAIL; BIND    ; 192.0.2.1 is not an address of the server. Use one that is, or the wildcard address.
            EADDRINUSE   ; BIND    ; Another socket is bound to 192.0.2.1:80. Use another port, or 0 for an ephemeral one.
            EACCES       ; BIND    ; The server's process may not bind 192.0.2.1:80. Use a port from 1024 on, or ask the operator.
            EAFNOSUPPORT ; CONNECT ; 192.0.2.1:80 is not of the socket's family. Give an address of that family, or make a socket of the address's.
            EINPROGRESS  ; CONNECT ; The connection to 192.0.2.1:80 is not established yet, the kernel goes on. Poll for POLLOUT, or call connect again to wait on.
            """, quoteCharacter = '"')
    void namesTheAddress(Errno errno, Call call, String words) {
        assertThat(new SocketFault(errno, call, THERE).getMessage()).isEqualTo(words);
    }
}
