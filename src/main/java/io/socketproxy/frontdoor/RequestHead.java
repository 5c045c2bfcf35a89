package io.socketproxy.frontdoor;

import java.nio.ByteBuffer;

/** Whether what has come of a request is worth a look of the parser's: RFC 9112 section 2.1. */
final class RequestHead {
    private static final String VERSION = "HTTP/";

    private RequestHead() {}

    /** Whether the header is whole, or what came can be refused already. */
    static boolean isReady(ByteBuffer bytes, int from, int to) {
        // Empty lines in front of the request line are passed over, section 2.2.
        int start = from;
        while (start < to && isLineEnd(bytes.get(start))) {
            start++;
        }
        if (start == to) {
            return false;
        }
        if (!isOfMethod(bytes.get(start))) {
            // TLS, SOCKS and the like.
            return true;
        }
        boolean first = true;
        int line = start;
        for (int at = start; at < to; at++) {
            if (bytes.get(at) == '\n') {
                if (first && !endsInVersion(bytes, start, at)) {
                    return true;
                }
                if (!first && isEmpty(bytes, line, at)) {
                    return true;
                }
                first = false;
                line = at + 1;
            }
        }
        return false;
    }

    private static boolean isLineEnd(byte b) {
        return b == '\r' || b == '\n';
    }

    private static boolean isOfMethod(byte b) {
        return b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z';
    }

    private static boolean isEmpty(ByteBuffer bytes, int from, int to) {
        return to == from || to == from + 1 && bytes.get(from) == '\r';
    }

    private static boolean endsInVersion(ByteBuffer bytes, int from, int to) {
        int space = to;
        while (space > from && bytes.get(space - 1) != ' ') {
            space--;
        }
        if (to - space < VERSION.length()) {
            return false;
        }
        for (int i = 0; i < VERSION.length(); i++) {
            if (bytes.get(space + i) != VERSION.charAt(i)) {
                return false;
            }
        }
        return true;
    }
}
