package io.socketproxy.address;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.SockAddr;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Texts that may be addresses. */
class InetTextFuzzTest {
    @FuzzTest
    void texts(byte[] utf8) {
        String text = new String(utf8, StandardCharsets.UTF_8);
        if (text.indexOf('\0') >= 0) {
            // No text of C's, which the callers say as they say EINVAL.
            return;
        }
        byte[] liberal = InetText.aton(text);
        byte[] four = InetText.pton(Constants.AF_INET, text);
        byte[] sixteen = InetText.pton(Constants.AF_INET6, text);
        if (four != null && (sixteen != null || !Arrays.equals(four, liberal))) {
            throw new AssertionError("of two minds about " + text);
        }
        if (liberal != null) {
            String quad = InetText.ntoa(liberal);
            if (!Arrays.equals(InetText.pton(Constants.AF_INET, quad), liberal)
                    || !InetText.host(SockAddr.Inet4.of(liberal, 0)).equals(quad)) {
                throw new AssertionError(quad);
            }
        }
        if (sixteen != null) {
            String canonical = InetText.ntop(Constants.AF_INET6, sixteen);
            if (!Arrays.equals(InetText.pton(Constants.AF_INET6, canonical), sixteen)
                    || !InetText.display(SockAddr.Inet6.of(sixteen, 80, 0, 0)).equals("[" + canonical + "]:80")) {
                throw new AssertionError(canonical);
            }
        }
    }
}
