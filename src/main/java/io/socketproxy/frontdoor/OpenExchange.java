package io.socketproxy.frontdoor;

import jakarta.servlet.RequestDispatcher;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.time.Duration;
import org.apache.catalina.connector.ClientAbortException;
import org.apache.catalina.connector.Request;
import org.apache.coyote.ActionCode;
import org.apache.coyote.ContinueResponseTiming;
import org.apache.tomcat.util.net.SocketWrapperBase;
import org.jspecify.annotations.Nullable;

/**
 * A request whose body or answer is given as it comes, for as long as it takes: what a servlet cannot ask of Tomcat. Where the connection
 * cannot be had (see {@link ClientSocket#unavailable}), Tomcat's own timeouts hold.
 *
 * <p>To be closed by the request's thread, which alone may call all but {@link #endBody}.
 */
public final class OpenExchange implements AutoCloseable {
    private final @Nullable Request request;
    private final @Nullable SocketWrapperBase<?> wrapper;
    private final long readTimeout;
    private final long writeTimeout;

    private OpenExchange(@Nullable Request request, @Nullable SocketWrapperBase<?> wrapper) {
        this.request = request;
        this.wrapper = wrapper;
        this.readTimeout = wrapper == null ? 0 : wrapper.getReadTimeout();
        this.writeTimeout = wrapper == null ? 0 : wrapper.getWriteTimeout();
    }

    /**
     * The exchange of a request.
     *
     * @param patience how long the client may take nothing of the answer
     */
    public static OpenExchange of(HttpServletRequest request, Duration patience) {
        OpenExchange exchange = new OpenExchange(ClientSocket.catalina(request), ClientSocket.wrapper(request));
        if (exchange.wrapper != null) {
            exchange.wrapper.setWriteTimeout(patience.toMillis());
        }
        return exchange;
    }

    /**
     * Asks for the body, where the client waits for that (RFC 9110 section 10.1.1), which it cannot be when the answer has begun; and lets
     * it take its time: who reads it has to see to it that {@link #endBody} is called.
     */
    public void askForBody() throws IOException {
        if (request != null) {
            request.getResponse().sendAcknowledgement(ContinueResponseTiming.ALWAYS);
        }
        if (wrapper != null) {
            wrapper.setReadTimeout(-1);
        }
    }

    /** Whoever reads the body finds that it has broken off. On any thread. */
    public void endBody() {
        if (wrapper != null) {
            ClientSocket.endInput(wrapper);
        }
    }

    /** Sends the end of the answer, of which everything is flushed. Closing its stream would close that of the body as well. */
    public void endAnswer() {
        if (request != null) {
            request.getResponse().getCoyoteResponse().action(ActionCode.CLOSE, null);
        }
    }

    /** The answer ends here without its end, so that it does not pass for a whole one. */
    public void breakOff() {
        if (request != null) {
            request.getResponse()
                    .getCoyoteResponse()
                    .action(ActionCode.CLOSE_NOW, new ClientAbortException("the answer is broken off"));
        }
    }

    @Override
    public void close() {
        if (request != null
                && request.getResponse().isCommitted()
                && request.getAttribute(RequestDispatcher.ERROR_EXCEPTION) != null) {
            // Of a client that aborts Tomcat makes no error page, which would go nowhere but into the log.
            request.setAttribute(RequestDispatcher.ERROR_EXCEPTION, new ClientAbortException("the exchange is over"));
        }
        if (wrapper != null) {
            wrapper.setReadTimeout(readTimeout);
            wrapper.setWriteTimeout(writeTimeout);
        }
    }
}
