package io.socketproxy.fault;

import org.jspecify.annotations.Nullable;

/** What is behind an exception of a framework's. */
public final class Causes {
    private Causes() {}

    /** The first of the type among the exception and its causes; null for none. */
    public static <T extends Throwable> @Nullable T find(Throwable throwable, Class<T> type) {
        for (Throwable at = throwable; at != null; at = at.getCause()) {
            if (type.isInstance(at)) {
                return type.cast(at);
            }
        }
        return null;
    }
}
