package io.socketproxy.cluster;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/** Has the start-up fail with what to do, where another node has this one's name. */
final class NameTakenAnalyzer extends AbstractFailureAnalyzer<Nodes.NameTaken> {
    @Override
    protected FailureAnalysis analyze(Throwable rootFailure, Nodes.NameTaken cause) {
        return new FailureAnalysis(
                cause.getMessage(),
                "Give each node a name of its own in socket-proxy.cluster.node, or stop the other one. One that was killed"
                        + " has its name for as long as socket-proxy.cluster.lease says.",
                cause);
    }
}
