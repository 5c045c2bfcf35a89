package io.socketproxy.stream;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.registry.Handle;
import io.socketproxy.tls.TlsRequest;
import io.socketproxy.tls.TlsSession;
import java.nio.charset.StandardCharsets;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** A client's control messages. */
class ControlFuzzTest {
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

        @Override
        public Object tls(TlsSession session) {
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
                        case Control.StartTls(TlsRequest request) ->
                            !request.toString().isEmpty();
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
}
