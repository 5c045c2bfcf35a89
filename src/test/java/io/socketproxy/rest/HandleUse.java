package io.socketproxy.rest;

import io.socketproxy.testing.Eventually;

/** Tells by its lease whether a call waits on a handle. */
record HandleUse(Api api) {
    /** While a call waits on it, the end of its lease moves with the clock. */
    void awaitUsed(String handle) {
        Eventually.is("somebody waits on " + handle, () -> moves(handle));
    }

    void awaitUnused(String handle) {
        Eventually.is("nobody waits on " + handle, () -> !moves(handle));
    }

    private boolean moves(String handle) {
        // Asking for it is use as well, so what tells is whether it moves between two questions that are no use of it.
        String before = expiry(handle);
        sleep(5);
        return !before.equals(expiry(handle));
    }

    private String expiry(String handle) {
        String id = RealServerCalls.id(handle);
        for (var socket : api.get("/api/v1/sockets?limit=1000").json().get("sockets")) {
            if (socket.get("id").asString().equals(id)) {
                return socket.at("/lease/expiresAt").asString();
            }
        }
        throw new AssertionError(handle + " is gone");
    }

    static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }
}
