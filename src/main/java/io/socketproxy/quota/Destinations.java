package io.socketproxy.quota;

import io.socketproxy.libc.SockAddr;
import java.util.LinkedHashMap;
import java.util.Map;

/** The addresses that a handle's datagrams went to of late: what goes to others counts as a connect does. All methods may be called concurrently. */
public final class Destinations {
    /** A resolver's servers, a game's players; whoever has more pays for those that come back. */
    static final int KNOWN = 256;

    // Guarded by this.
    private final Map<SockAddr, Boolean> known = new LinkedHashMap<>(4, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<SockAddr, Boolean> eldest) {
            return size() > KNOWN;
        }
    };

    /** Whether it is among them. */
    public synchronized boolean knows(SockAddr address) {
        return known.get(address) != null;
    }

    /** Is among them from now on. */
    public synchronized void add(SockAddr address) {
        known.put(address, true);
    }
}
