package io.socketproxy.libc;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/** How the C library's functions are called: with errno captured, and with its strings. */
@SuppressWarnings("restricted")
final class Linkage {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final SymbolLookup LIBRARY = LINKER.defaultLookup();
    private static final Linker.Option ERRNO_STATE = Linker.Option.captureCallState("errno");

    /** What each call takes in front of its arguments, and leaves errno in. */
    static final StructLayout STATE = Linker.Option.captureStateLayout();

    private static final VarHandle ERRNO = STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

    private Linkage() {}

    /** A function that returns something. */
    static MethodHandle call(String name, MemoryLayout result, MemoryLayout... arguments) {
        return LINKER.downcallHandle(LIBRARY.findOrThrow(name), FunctionDescriptor.of(result, arguments), ERRNO_STATE);
    }

    /** As {@link #call}, of a function with two arguments and then some. */
    static MethodHandle variadicCall(String name, MemoryLayout result, MemoryLayout... arguments) {
        return LINKER.downcallHandle(
                LIBRARY.findOrThrow(name),
                FunctionDescriptor.of(result, arguments),
                ERRNO_STATE,
                Linker.Option.firstVariadicArg(2));
    }

    /** A function that returns nothing and has no errno. */
    static MethodHandle voidCall(String name, MemoryLayout... arguments) {
        return LINKER.downcallHandle(LIBRARY.findOrThrow(name), FunctionDescriptor.ofVoid(arguments));
    }

    static int errno(MemorySegment state) {
        return (int) ERRNO.get(state, 0L);
    }

    /** The result, or the negated errno where it is below 0. */
    static int result(MemorySegment state, int result) {
        return result >= 0 ? result : -errno(state);
    }

    /** As the other. */
    static long result(MemorySegment state, long result) {
        return result >= 0 ? result : -errno(state);
    }

    static void check(MemorySegment state, int result) throws ErrnoException {
        if (result < 0) {
            throw new ErrnoException(Errno.of(errno(state)));
        }
    }

    static MemorySegment cString(Arena arena, @Nullable String text) {
        if (text == null) {
            return MemorySegment.NULL;
        }
        if (text.indexOf('\0') >= 0) {
            // Silently cut at the NUL, "127.0.0.1\0.example.com" would be two things to two readers.
            throw new IllegalArgumentException("A name holds no NUL.");
        }
        return arena.allocateFrom(text);
    }

    static String javaString(MemorySegment pointer) {
        return pointer.reinterpret(Long.MAX_VALUE).getString(0);
    }

    static RuntimeException unexpected(Throwable t) {
        if (t instanceof RuntimeException e) {
            return e;
        }
        if (t instanceof Error e) {
            throw e;
        }
        return new IllegalStateException(t);
    }
}
