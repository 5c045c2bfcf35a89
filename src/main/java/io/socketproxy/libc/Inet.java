package io.socketproxy.libc;

import static io.socketproxy.libc.Linkage.STATE;
import static io.socketproxy.libc.Linkage.cString;
import static io.socketproxy.libc.Linkage.call;
import static io.socketproxy.libc.Linkage.unexpected;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/** The text forms of addresses; arpa/inet.h, inet(3). All methods may be called concurrently. */
public final class Inet {
    private static final MethodHandle INET_ATON = call("inet_aton", JAVA_INT, ADDRESS, ADDRESS);
    private static final MethodHandle INET_PTON = call("inet_pton", JAVA_INT, JAVA_INT, ADDRESS, ADDRESS);
    private static final MethodHandle INET_NTOP = call("inet_ntop", ADDRESS, JAVA_INT, ADDRESS, ADDRESS, JAVA_INT);

    private Inet() {}

    /** inet_aton(3): four bytes in network order, or null where the text is no address in any of libc's forms. */
    public static byte @Nullable [] inet_aton(String text) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            MemorySegment packed = arena.allocate(4, 4);
            int valid = (int) INET_ATON.invokeExact(state, cString(arena, text), packed);
            return valid == 0 ? null : Libc.bytes(packed, 0, 4);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** inet_pton(3): 4 or 16 bytes, or null where the text is no address of that family. */
    public static byte @Nullable [] inet_pton(int family, String text) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            MemorySegment packed = arena.allocate(16, 4);
            int valid = (int) INET_PTON.invokeExact(state, family, cString(arena, text), packed);
            return valid <= 0 ? null : Libc.bytes(packed, 0, family == Constants.AF_INET ? 4 : 16);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** inet_ntop(3) of 4 bytes (AF_INET) or 16 bytes (AF_INET6). */
    public static String inet_ntop(int family, byte[] packed) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            MemorySegment source = arena.allocate(16, 4);
            MemorySegment.copy(packed, 0, source, JAVA_BYTE, 0, packed.length);
            MemorySegment text = arena.allocate(64);
            MemorySegment result = (MemorySegment) INET_NTOP.invokeExact(state, family, source, text, 64);
            if (result.address() == 0) {
                throw new IllegalArgumentException("family " + family + " has no text form");
            }
            return text.getString(0);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }
}
