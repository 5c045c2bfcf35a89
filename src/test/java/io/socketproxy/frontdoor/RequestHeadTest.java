package io.socketproxy.frontdoor;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RequestHeadTest {
    private static boolean isReady(String text) {
        byte[] bytes = text.translateEscapes().getBytes(StandardCharsets.ISO_8859_1);
        return RequestHead.isReady(ByteBuffer.wrap(bytes), 0, bytes.length);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "\\r\\n\\r\\n",
                "G",
                "GET / HTTP/1.1",
                "GET / HTTP/1.1\\r\\n",
                "GET / HTTP/1.1\\r\\nHost: x\\r\\n",
                "GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r",
                "\\r\\nGET / HTTP/1.1\\r\\nX: y z\\r\\n"
            })
    void moreIsToCome(String text) {
        assertThat(isReady(text)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET / HTTP/1.1\\r\\n\\r\\n",
                "GET / HTTP/1.1\\n\\n",
                "\\r\\nGET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n",
                "POST /a HTTP/1.0\\r\\nContent-Length: 3\\r\\n\\r\\nabc",
                "GET /\\r\\n",
                "hello\\n",
                "\\005\\001\\000",
                "\\026\\003\\001"
            })
    void theParserCanDecide(String text) {
        assertThat(isReady(text)).isTrue();
    }
}
