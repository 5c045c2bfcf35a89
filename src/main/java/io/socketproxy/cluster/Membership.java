package io.socketproxy.cluster;

import io.socketproxy.http.ServiceAddress;
import org.springframework.context.ApplicationContext;
import org.springframework.context.SmartLifecycle;

/** This node is one of the nodes from when it answers until it has drained. */
final class Membership implements SmartLifecycle {
    private final Nodes nodes;
    private final Self self;
    private final ApplicationContext context;
    private volatile boolean running;

    Membership(Nodes nodes, Self self, ApplicationContext context) {
        this.nodes = nodes;
        this.self = self;
        this.context = context;
    }

    @Override
    public void start() {
        ServiceAddress.of(context).ifPresent(service -> {
            self.answersAt(service);
            nodes.start();
            running = true;
        });
    }

    @Override
    public void stop() {
        running = false;
        nodes.stop();
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    /** After the HTTP server has its port, and, when all stops, after the drain and before the server. */
    @Override
    public int getPhase() {
        return Integer.MAX_VALUE - 1;
    }
}
