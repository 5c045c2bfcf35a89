package io.socketproxy.rest;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** A network namespace of its own, which processes and threads of this JVM can be in; see ip-netns(8). Needs root. */
final class NetworkNamespace implements AutoCloseable {
    private static final AtomicInteger COUNT = new AtomicInteger();
    private static final int CLONE_NEWNET = 0x4000_0000;

    private final String name;

    private NetworkNamespace(String name) {
        this.name = name;
    }

    /** Skips the test where there can be none. */
    static void assumeAvailable() {
        assumeTrue(
                "root".equals(System.getProperty("user.name")) && isInstalled("ip"),
                "network namespaces need root and ip (iproute2)");
        try {
            run("ip", "netns", "list");
        } catch (AssertionError e) {
            assumeTrue(false, "network namespaces are not to be had here: " + e.getMessage());
        }
    }

    /** Whether a program is on the PATH, or where only root looks. */
    static boolean isInstalled(String program) {
        return find(program) != null;
    }

    static String require(String program) {
        String path = find(program);
        assumeTrue(path != null, program + " is not installed");
        return String.valueOf(path);
    }

    private static @org.jspecify.annotations.Nullable String find(String program) {
        for (String directory : (System.getenv("PATH") + ":/usr/local/sbin:/usr/sbin:/sbin").split(":")) {
            Path path = Path.of(directory, program);
            if (Files.isExecutable(path)) {
                return path.toString();
            }
        }
        return null;
    }

    /** A new one, with loopback up and nothing else. */
    static NetworkNamespace create() {
        NetworkNamespace namespace =
                new NetworkNamespace("sp-" + ProcessHandle.current().pid() + "-" + COUNT.incrementAndGet());
        run("ip", "netns", "add", namespace.name);
        namespace.ip("link set lo up");
        return namespace;
    }

    String name() {
        return name;
    }

    /** Runs ip(8) inside. */
    void ip(String arguments) {
        List<String> command = new ArrayList<>(List.of("ip", "-n", name));
        command.addAll(List.of(arguments.split(" ")));
        run(command.toArray(String[]::new));
    }

    /** Writes a file that processes inside find at {@code /etc/<file>}. */
    void etc(String file, String content) {
        try {
            Files.createDirectories(etc());
            Files.writeString(etc().resolve(file), content);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path etc() {
        return Path.of("/etc/netns", name);
    }

    /** Starts a process inside, whose output goes to a file. */
    Process start(Path output, List<String> command, String... environment) {
        List<String> inside = new ArrayList<>(List.of("ip", "netns", "exec", name));
        inside.addAll(command);
        ProcessBuilder builder =
                new ProcessBuilder(inside).redirectErrorStream(true).redirectOutput(output.toFile());
        for (int i = 0; i < environment.length; i += 2) {
            builder.environment().put(environment[i], environment[i + 1]);
        }
        try {
            return builder.start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A thread whose sockets are inside, not started yet. */
    Thread thread(Runnable action) {
        return Thread.ofPlatform().daemon().unstarted(() -> {
            enter();
            action.run();
        });
    }

    /** Runs something on a thread inside, and waits for it. */
    <T> T inside(Callable<T> action) {
        CompletableFuture<T> result = new CompletableFuture<>();
        thread(() -> {
                    try {
                        result.complete(action.call());
                    } catch (Throwable e) {
                        result.completeExceptionally(e);
                    }
                })
                .start();
        return result.join();
    }

    @Override
    public void close() {
        run("ip", "netns", "del", name);
        try {
            if (Files.isDirectory(etc())) {
                try (var files = Files.list(etc())) {
                    for (Path file : files.toList()) {
                        Files.delete(file);
                    }
                }
                Files.delete(etc());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Moves the calling thread, and no other, into the namespace; setns(2). */
    @SuppressWarnings("restricted")
    private void enter() {
        Linker linker = Linker.nativeLinker();
        MethodHandle open = linker.downcallHandle(
                linker.defaultLookup().findOrThrow("open"),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT),
                Linker.Option.firstVariadicArg(2));
        MethodHandle setns = linker.downcallHandle(
                linker.defaultLookup().findOrThrow("setns"),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
        MethodHandle close = linker.downcallHandle(
                linker.defaultLookup().findOrThrow("close"),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
        try (Arena arena = Arena.ofConfined()) {
            int descriptor = (int) open.invokeExact(arena.allocateFrom("/var/run/netns/" + name), 0);
            int result = (int) setns.invokeExact(descriptor, CLONE_NEWNET);
            int closed = (int) close.invokeExact(descriptor);
            if (descriptor < 0 || result < 0 || closed < 0) {
                throw new AssertionError("setns failed for " + name);
            }
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    static void run(String... command) {
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(20, TimeUnit.SECONDS) || process.exitValue() != 0) {
                throw new AssertionError(String.join(" ", command) + ": " + output);
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    /** Ends a process and those that it started. */
    static void stop(Process process) {
        process.descendants().forEach(ProcessHandle::destroy);
        process.destroy();
        try {
            if (!process.waitFor(20, TimeUnit.SECONDS)) {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
