package io.socketproxy.policy;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Ports from {@code first} to {@code last}, both included. */
record PortRange(int first, int last) {
    private static final Pattern FORM = Pattern.compile("([0-9]{1,5})(?:\\s*-\\s*([0-9]{1,5}))?");

    /**
     * Reads {@code 443} or {@code 8000-8999}.
     *
     * @throws IllegalArgumentException anything else, 0, and what is beyond 65535 or the wrong way round
     */
    static PortRange parse(String text) {
        Matcher matcher = FORM.matcher(text.strip());
        if (!matcher.matches()) {
            throw new IllegalArgumentException(
                    "'" + text + "' is not a port or range of ports: write 443 or 8000-8999");
        }
        int first = Integer.parseInt(matcher.group(1));
        int last = matcher.group(2) == null ? first : Integer.parseInt(matcher.group(2));
        if (first < 1 || last > 65_535 || first > last) {
            throw new IllegalArgumentException("'" + text + "': ports go from 1 to 65535, the lower one first");
        }
        return new PortRange(first, last);
    }

    boolean contains(int port) {
        return first <= port && port <= last;
    }

    boolean contains(PortRange other) {
        return first <= other.first && other.last <= last;
    }

    @Override
    public String toString() {
        return first == last ? Integer.toString(first) : first + "-" + last;
    }
}
