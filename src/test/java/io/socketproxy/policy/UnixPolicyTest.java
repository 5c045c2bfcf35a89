package io.socketproxy.policy;

import static io.socketproxy.policy.Addresses.unix;
import static io.socketproxy.policy.Policies.egress;
import static io.socketproxy.policy.Policies.listen;
import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.libc.SockAddr;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class UnixPolicyTest {
    @TempDir
    Path temp;

    private Path allowed;
    private Path secret;

    @BeforeEach
    void makeDirectories() throws IOException {
        Path real = temp.toRealPath();
        allowed = Files.createDirectory(real.resolve("allowed"));
        secret = Files.createDirectory(real.resolve("secret"));
        Files.createFile(allowed.resolve("a.sock"));
        Files.createFile(secret.resolve("s.sock"));
    }

    @Test
    void noneIsReachedOrBoundByDefault() {
        assertThat(egress(new FakeRoutes()).judge(unix("/run/docker.sock")).rule())
                .isEqualTo("default:unix");
        assertThat(listen("{addresses: [127.0.0.1], ports: [80]}").judge(unix("/tmp/x")))
                .isInstanceOf(Decision.Denied.class);
        assertThat(egress(new FakeRoutes()).judge(unix("\0name"))).isInstanceOf(Decision.Denied.class);
        assertThat(egress(new FakeRoutes()).judge(unix(""))).isInstanceOf(Decision.Denied.class);
    }

    @Test
    void pathsAreReachedByPattern() {
        assertThat(connects(allowed + "/a.sock")).isEqualTo(allowed + "/a.sock");
        assertThat(connects(allowed + "/not-there.sock")).isEqualTo(allowed + "/not-there.sock");
        assertThat(connects(allowed + "//./a.sock")).isEqualTo(allowed + "/a.sock");
        assertThat(connects(allowed + "/a.txt")).isNull();
        assertThat(connects(secret + "/s.sock")).isNull();
    }

    @Test
    @Timeout(value = 20, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void aPatternOfManyStarsIsMatchedAtOnce() {
        PathPattern stars = PathPattern.parse("/" + "*a".repeat(25) + "*b");
        assertThat(stars.matches("/" + "a".repeat(100))).isFalse();
        assertThat(stars.matches("/" + "a".repeat(99) + "b")).isTrue();
        assertThat(PathPattern.parse("/run/**/x?.sock").matches("/run/a/b/xy.sock"))
                .isTrue();
        assertThat(PathPattern.parse("/run/*/x?.sock").matches("/run/a/b/xy.sock"))
                .isFalse();
    }

    @Test
    void dotDotAndRelativePathsAreRefused() {
        assertThat(connects(allowed + "/../allowed/a.sock")).isNull();
        assertThat(connects(allowed + "/../secret/s.sock")).isNull();
        assertThat(connects("a.sock")).isNull();
        assertThat(connects("/")).isNull();
        assertThat(connects(allowed + "/none/a.sock")).isNull();
    }

    @Test
    void linksAreFollowedBeforeMatching() throws IOException {
        Files.createSymbolicLink(allowed.resolve("out.sock"), secret.resolve("s.sock"));
        Files.createSymbolicLink(allowed.resolve("in.sock"), allowed.resolve("a.sock"));
        Files.createSymbolicLink(allowed.resolve("dangling.sock"), secret.resolve("later.sock"));
        Files.createSymbolicLink(allowed.resolve("loop.sock"), allowed.resolve("loop.sock"));
        Files.createSymbolicLink(allowed.resolve("dir"), secret);
        Files.createSymbolicLink(secret.resolve("way-in"), allowed);

        assertThat(connects(allowed + "/out.sock")).isNull();
        assertThat(connects(allowed + "/in.sock")).isEqualTo(allowed + "/a.sock");
        assertThat(connects(allowed + "/dangling.sock")).isNull();
        assertThat(connects(allowed + "/loop.sock")).isNull();
        assertThat(connects(allowed + "/dir/s.sock")).isNull();
        assertThat(connects(secret + "/way-in/a.sock")).isEqualTo(allowed + "/a.sock");
    }

    @Test
    void bindingFollowsLinksInDirectoriesOnly() throws IOException {
        Files.createSymbolicLink(allowed.resolve("dir.sock"), secret);
        Files.createSymbolicLink(allowed.resolve("link.sock"), secret.resolve("later.sock"));
        ListenPolicy policy = listen("{id: mine, paths: ['" + allowed + "/*.sock']}");

        assertThat(policy.judge(unix(allowed + "/new.sock")))
                .isInstanceOfSatisfying(
                        Decision.Allowed.class,
                        allowed -> assertThat(allowed.rule()).isEqualTo("mine"));
        assertThat(policy.judge(unix(allowed + "/dir.sock/new.sock"))).isInstanceOf(Decision.Denied.class);
        assertThat(policy.judge(unix(allowed + "/../secret/new.sock"))).isInstanceOf(Decision.Denied.class);
        // The kernel answers EADDRINUSE for any name that exists, and follows nothing.
        assertThat(policy.judge(unix(allowed + "/link.sock")))
                .isInstanceOfSatisfying(
                        Decision.Allowed.class,
                        decision -> assertThat(decision.local().address())
                                .isEqualTo(new SockAddr.Unix(allowed + "/link.sock")));
    }

    @Test
    void aPatternMayItselfGoThroughALink() throws IOException {
        Files.createSymbolicLink(secret.resolve("link"), allowed);
        EgressPolicy policy = egress(new FakeRoutes(), "{action: allow, paths: ['" + secret + "/link/*.sock']}");

        assertThat(policy.judge(unix(secret + "/link/a.sock"))).isInstanceOf(Decision.Allowed.class);
        assertThat(policy.judge(unix(allowed + "/a.sock"))).isInstanceOf(Decision.Allowed.class);
        assertThat(policy.judge(unix(secret + "/s.sock"))).isInstanceOf(Decision.Denied.class);
    }

    @Test
    void abstractNamesAreReachedByPatternsThatSaySo() {
        EgressPolicy names = egress(new FakeRoutes(), "{action: allow, paths: ['@app-*']}");
        EgressPolicy files = egress(new FakeRoutes(), "{action: allow, paths: ['/**']}");

        assertThat(names.judge(unix("\0app-1"))).isInstanceOf(Decision.Allowed.class);
        assertThat(names.judge(unix("\0other"))).isInstanceOf(Decision.Denied.class);
        assertThat(names.judge(unix("/@app-1"))).isInstanceOf(Decision.Denied.class);
        assertThat(files.judge(unix("\0app-1"))).isInstanceOf(Decision.Denied.class);
        assertThat(files.judge(unix("\0/tmp/x"))).isInstanceOf(Decision.Denied.class);
    }

    @Test
    void aDenyRuleComesFirst() {
        EgressPolicy policy = egress(
                new FakeRoutes(),
                "{action: deny, paths: ['" + allowed + "/a.sock']}",
                "{action: allow, paths: ['" + allowed + "/**']}");
        EgressPolicy none =
                egress(new FakeRoutes(), "{action: deny, transports: [unix]}", "{action: allow, paths: ['/**']}");

        assertThat(policy.judge(unix(allowed + "/a.sock")).rule()).isEqualTo("egress-rule-1");
        assertThat(policy.judge(unix(allowed + "/b.sock")).rule()).isEqualTo("egress-rule-2");
        assertThat(none.judge(unix(allowed + "/b.sock")).rule()).isEqualTo("egress-rule-1");
    }

    @Test
    void aDenialTellsNobodyWhichDirectoriesExist() throws IOException {
        Files.createSymbolicLink(secret.resolve("link"), allowed);
        Path denied = Files.createDirectory(temp.toRealPath().resolve("denied"));
        EgressPolicy policy = egress(
                new FakeRoutes(),
                "{action: deny, paths: ['" + denied + "/**']}",
                "{action: allow, paths: ['" + denied + "/**', '" + allowed + "/b/*']}");
        ListenPolicy listen = listen("{paths: ['" + allowed + "/b*']}");
        String dir = secret.toString();

        for (String base : new String[] {dir, denied.toString()}) {
            String there = base + "/x";
            for (String path : new String[] {base + "/none/x", base + "/s.sock/x", dir + "/link/x"}) {
                String as = path.startsWith(base) ? base : dir;
                assertThat(told(policy, path)).isEqualTo(told(policy, as + "/x").replace(as + "/x", path));
                assertThat(told(listen, path)).isEqualTo(told(listen, there).replace(there, path));
            }
        }
        // Where the caller may go, what is missing is said.
        assertThat(told(policy, allowed + "/b/x")).doesNotContain("no rule");
        assertThat(policy.judge(unix(allowed + "/none/b"))).isInstanceOf(Decision.Denied.class);
    }

    private static String told(EgressPolicy policy, String path) {
        return told(policy.judge(unix(path)));
    }

    private static String told(ListenPolicy policy, String path) {
        return told(policy.judge(unix(path)));
    }

    private static String told(Decision decision) {
        return decision.rule() + ": " + decision.reason();
    }

    @ParameterizedTest
    @CsvSource({
        "/a/*.sock, /a/b.sock, true", "/a/*.sock, /a/.sock, true", "/a/*.sock, /a/b/c.sock, false",
                "/a/**, /a/b/c.sock, true",
        "/a/?.sock, /a/b.sock, true", "/a/?.sock, /a/bb.sock, false", "/a/b.sock, /a/bxsock, false",
                "/a/[b], /a/b, false",
        "@x, @x, true", "@x*, @xyz, true", "@x, /x, false", "/a, /a/b, false",
    })
    void globs(String pattern, String address, boolean expected) {
        assertThat(PathPattern.parse(pattern).matches(address)).isEqualTo(expected);
    }

    /** Where connecting would go; null if nowhere. */
    private @Nullable String connects(String path) {
        EgressPolicy policy = egress(new FakeRoutes(), "{action: allow, paths: ['" + allowed + "/*.sock']}");
        return policy.judge(unix(path)) instanceof Decision.Allowed decision
                ? ((SockAddr.Unix) decision.remote().address()).path()
                : null;
    }
}
