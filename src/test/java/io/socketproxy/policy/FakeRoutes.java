package io.socketproxy.policy;

import io.socketproxy.address.InetText;
import io.socketproxy.libc.SockAddr;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Every address is remote but those that a test names; remembers what was asked. */
final class FakeRoutes implements RouteProbe {
    final List<String> asked = new ArrayList<>();
    private final Map<String, Route> routes = new HashMap<>();

    FakeRoutes with(String address, Route route) {
        routes.put(address, route);
        return this;
    }

    @Override
    public Route route(SockAddr address) {
        String text = InetText.zoned(address);
        asked.add(text);
        return routes.getOrDefault(text, Route.REMOTE);
    }

    @Override
    public long generation() {
        return routes.size();
    }
}
