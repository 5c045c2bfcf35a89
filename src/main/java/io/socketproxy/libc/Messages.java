package io.socketproxy.libc;

import static io.socketproxy.libc.Linkage.STATE;
import static io.socketproxy.libc.Linkage.call;
import static io.socketproxy.libc.Linkage.javaString;
import static io.socketproxy.libc.Linkage.unexpected;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/** What the C library says of its error numbers, in the C locale. All methods may be called concurrently. */
@SuppressWarnings("restricted")
public final class Messages {
    private static final MethodHandle GAI_STRERROR = call("gai_strerror", ADDRESS, JAVA_INT);
    private static final MethodHandle USELOCALE = call("uselocale", ADDRESS, ADDRESS);
    private static final MethodHandle NEWLOCALE = call("newlocale", ADDRESS, JAVA_INT, ADDRESS, ADDRESS);
    private static final MethodHandle STRERROR_L = call("strerror_l", ADDRESS, JAVA_INT, ADDRESS);

    // The JVM sets the process's locale from the environment, so plain strerror() would speak the server's language.
    private static final MemorySegment C_LOCALE = newCLocale();
    private static final ConcurrentMap<Integer, String> MESSAGES = new ConcurrentHashMap<>();
    private static final ConcurrentMap<Integer, String> GAI_MESSAGES = new ConcurrentHashMap<>();

    private Messages() {}

    /** The message of an EAI_ number in the C locale: gai_strerror(3). */
    public static String gaiStrerror(int error) {
        return GAI_MESSAGES.computeIfAbsent(error, e -> {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment state = arena.allocate(STATE);
                // There is no gai_strerror_l(); nothing in between can move a virtual thread to another carrier.
                MemorySegment before = (MemorySegment) USELOCALE.invokeExact(state, C_LOCALE);
                try {
                    return javaString((MemorySegment) GAI_STRERROR.invokeExact(state, (int) e));
                } finally {
                    MemorySegment ignored = (MemorySegment) USELOCALE.invokeExact(state, before);
                }
            } catch (Throwable t) {
                throw unexpected(t);
            }
        });
    }

    /** The message of an errno in the C locale: strerror(3). */
    static String strerror(int number) {
        return MESSAGES.computeIfAbsent(number, n -> {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment state = arena.allocate(STATE);
                return javaString((MemorySegment) STRERROR_L.invokeExact(state, (int) n, C_LOCALE));
            } catch (Throwable t) {
                throw unexpected(t);
            }
        });
    }

    private static MemorySegment newCLocale() {
        int allCategories = 0x1fbf; // LC_ALL_MASK of glibc; musl reads any mask with all of its six bits alike
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            return (MemorySegment)
                    NEWLOCALE.invokeExact(state, allCategories, arena.allocateFrom("C"), MemorySegment.NULL);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }
}
