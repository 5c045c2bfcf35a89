package io.socketproxy.overload;

import org.jspecify.annotations.Nullable;

/**
 * The heap that one call's body and answer take, counted against {@link Overload#bodies}. One thread at a time.
 *
 * <p>Whoever allocates for a call takes first: what is refused was not allocated, and nothing was read for it.
 */
public final class Room implements AutoCloseable {
    private final @Nullable Overload overload;
    private final String owner;
    private Budget.@Nullable Grant grant;

    Room(@Nullable Overload overload, String owner) {
        this.overload = overload;
        this.owner = owner;
    }

    /** One that counts nothing, for what is not done for a caller. */
    public static Room unlimited() {
        return new Room(null, "");
    }

    /**
     * Takes so many bytes more.
     *
     * @throws Exhausted with nothing taken
     */
    public void take(long bytes) {
        if (overload == null || bytes == 0) {
            return;
        }
        overload.admitBody(held() + bytes);
        if (grant == null) {
            grant = overload.bodies().take(owner, bytes);
        } else {
            grant.grow(bytes);
        }
    }

    /**
     * Makes sure that so many bytes could be taken at all; none are.
     *
     * @throws Exhausted where they are more than one owner may hold, or large bodies are turned away
     */
    public void expect(long bytes) {
        if (overload != null) {
            overload.admitBody(bytes);
        }
    }

    /** Gives so many bytes back. */
    public void giveBack(long bytes) {
        if (grant != null) {
            grant.shrink(bytes);
        }
    }

    /** What is taken now. */
    public long held() {
        return grant == null ? 0 : grant.amount();
    }

    /** Hands so many of the bytes over to somebody who keeps them beyond the call; the rest is given back. */
    public Kept keep(long bytes) {
        Budget.Grant kept = grant;
        if (kept == null) {
            return () -> {};
        }
        grant = null;
        kept.shrink(kept.amount() - bytes);
        return kept::close;
    }

    /** What somebody keeps; given back by closing it. */
    public interface Kept extends AutoCloseable {
        @Override
        void close();
    }

    /** Gives everything back. */
    @Override
    public void close() {
        if (grant != null) {
            grant.close();
            grant = null;
        }
    }
}
