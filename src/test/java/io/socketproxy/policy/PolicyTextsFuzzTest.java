package io.socketproxy.policy;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.socketproxy.address.InetText;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.SockAddr;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** What an operator may write into a policy, and what a caller's addresses are matched with. */
class PolicyTextsFuzzTest {
    private static String text(byte[] utf8) {
        return new String(utf8, StandardCharsets.UTF_8);
    }

    /** A block is read as it is written, and an address alone is one exactly where libc says so. */
    @FuzzTest
    void cidr(byte[] utf8) {
        String text = text(utf8);
        Cidr block = null;
        String refusal = "";
        try {
            block = Cidr.parse(text);
        } catch (IllegalArgumentException e) {
            refusal = String.valueOf(e.getMessage());
        }
        if (text.indexOf('/') < 0 && text.indexOf('\0') < 0 && !refusal.contains("v4-mapped")) {
            byte[] libc = InetText.pton(text.indexOf(':') < 0 ? Constants.AF_INET : Constants.AF_INET6, text);
            if ((libc == null) != (block == null)) {
                throw new AssertionError("of two minds about " + text);
            }
            if (libc != null && block != null && !(block.isSingle() && block.contains(address(libc)))) {
                throw new AssertionError(block);
            }
        }
        if (block != null && !Cidr.parse(block.toString()).equals(block)) {
            throw new AssertionError(block);
        }
    }

    private static SockAddr address(byte[] packed) {
        return packed.length == 4 ? SockAddr.Inet4.of(packed, 0) : SockAddr.Inet6.of(packed, 0, 0, 0);
    }

    @FuzzTest
    void portRange(byte[] utf8) {
        PortRange range;
        try {
            range = PortRange.parse(text(utf8));
        } catch (IllegalArgumentException e) {
            return;
        }
        if (!PortRange.parse(range.toString()).equals(range)
                || !range.contains(range.first())
                || !range.contains(range.last())
                || range.contains(range.first() - 1)
                || range.contains(range.last() + 1)) {
            throw new AssertionError(range);
        }
    }

    /** A pattern in the first line, a name in the second. */
    @FuzzTest
    void hostPattern(byte[] utf8) {
        String[] lines = text(utf8).split("\n", 2);
        HostPattern pattern;
        try {
            pattern = HostPattern.parse(lines[0]);
        } catch (IllegalArgumentException e) {
            return;
        }
        if (!HostPattern.parse(pattern.toString()).equals(pattern)) {
            throw new AssertionError(pattern);
        }
        String name = pattern.toString().replaceFirst("^\\*?\\.", "");
        if (pattern.matches(name) == pattern.toString().startsWith("*.")
                || pattern.matches("below." + name) == pattern.toString().equals(name)) {
            throw new AssertionError(pattern);
        }
        if (lines.length > 1) {
            pattern.matches(lines[1]);
        }
    }

    /** A pattern in the first line, a path in the second: matched as by an expression, where that has an end. */
    @FuzzTest
    void pathPattern(byte[] utf8) {
        String[] lines = text(utf8).split("\n", 2);
        if (lines.length < 2 || lines[1].length() > SockAddr.Unix.PATH_BYTES) {
            return;
        }
        PathPattern pattern;
        try {
            pattern = PathPattern.parse(lines[0]);
        } catch (IllegalArgumentException e) {
            return;
        }
        boolean matches = pattern.matches(lines[1]);
        boolean isShort = lines[0].chars().filter(c -> c == '*').count() <= 3;
        // The other way round it may be a link's doing.
        if (isShort && !matches && expression(lines[0]).matcher(lines[1]).matches()) {
            throw new AssertionError(pattern + " and " + lines[1]);
        }
    }

    private static Pattern expression(String glob) {
        StringBuilder regex = new StringBuilder();
        for (int i = 0; i < glob.length(); i++) {
            String next = glob.substring(i, i + 1);
            if (glob.startsWith("**", i)) {
                regex.append(".*");
                i++;
            } else {
                regex.append(next.equals("*") ? "[^/]*" : next.equals("?") ? "[^/]" : Pattern.quote(next));
            }
        }
        return Pattern.compile(regex.toString(), Pattern.DOTALL);
    }

    /** Sixteen bytes: as RFC 5952 has them, which libc reads as what they were. */
    @FuzzTest
    void addressText(byte[] input) {
        byte[] packed = Arrays.copyOf(input, 16);
        String text = InetText.zoned(address(packed));
        String libc = InetText.ntop(Constants.AF_INET6, packed);
        if (!Arrays.equals(InetText.pton(Constants.AF_INET6, text), packed)) {
            throw new AssertionError(text);
        }
        // libc still writes the deprecated compatible addresses with dots.
        if (!text.equals(libc) && libc.indexOf('.') < 0) {
            throw new AssertionError(text + " and " + libc);
        }
    }

    /** One condition a line, {@code hosts=*.example.com}: read, or refused with the property's name. */
    @FuzzTest
    void rule(byte[] utf8) {
        Map<String, List<String>> conditions = new HashMap<>();
        for (String line : text(utf8).split("\n", -1)) {
            String[] condition = line.split("=", 2);
            if (condition.length == 2) {
                conditions
                        .computeIfAbsent(condition[0], key -> new ArrayList<>())
                        .add(condition[1]);
            }
        }
        List<String> none = List.of();
        EgressProperties.RuleProperties rule = new EgressProperties.RuleProperties(
                conditions.containsKey("id") ? conditions.get("id").getFirst() : null,
                conditions.containsKey("action") ? conditions.get("action").getFirst() : null,
                conditions.getOrDefault("hosts", none),
                conditions.getOrDefault("cidrs", none),
                conditions.getOrDefault("classes", none),
                conditions.getOrDefault("ports", none),
                conditions.getOrDefault("transports", none),
                conditions.getOrDefault("paths", none));
        try {
            Rule read = new EgressProperties(List.of(rule), "public").compiled().getFirst();
            if (read.isAboutEveryPort() && !read.isAbout(Transport.TCP, 80)) {
                throw new AssertionError(read);
            }
        } catch (IllegalArgumentException e) {
            if (!String.valueOf(e.getMessage()).startsWith("socket-proxy.policy.egress.rules[0]")) {
                throw new AssertionError(e);
            }
        }
    }
}
