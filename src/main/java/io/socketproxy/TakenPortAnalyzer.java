package io.socketproxy;

import java.io.File;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.system.ApplicationHome;
import org.springframework.boot.web.server.PortInUseException;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;

/** Has the start-up fail with the command that takes another port, where somebody has this one. */
@Order(Ordered.HIGHEST_PRECEDENCE)
final class TakenPortAnalyzer extends AbstractFailureAnalyzer<PortInUseException> {
    @Override
    protected FailureAnalysis analyze(Throwable rootFailure, PortInUseException cause) {
        int port = cause.getPort();
        File source = new ApplicationHome(SocketProxyApplication.class).getSource();
        String command = source != null && source.isFile() ? "java -jar " + source.getName() : "mvn spring-boot:run";
        return new FailureAnalysis(
                "Port " + port + " is taken: another process listens there, which ss -ltnp 'sport = :" + port
                        + "' shows.",
                "Stop that one, or take another port: SERVER_PORT=" + (port + 1) + " " + command,
                cause);
    }
}
