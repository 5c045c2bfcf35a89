package io.socketproxy.http;

import io.socketproxy.frontdoor.HttpConnection;
import io.socketproxy.libc.Errno;
import java.io.IOException;
import org.apache.catalina.Container;
import org.apache.catalina.connector.Request;
import org.apache.catalina.connector.Response;
import org.apache.catalina.core.StandardHost;
import org.apache.catalina.valves.ErrorReportValve;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.tomcat.servlet.TomcatServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.http.HttpStatusCode;
import org.springframework.stereotype.Component;

/** Makes what Tomcat refuses by itself, before any filter (a bad request line, a path with %2F), a problem as well. */
@Component
class TomcatProblems implements WebServerFactoryCustomizer<TomcatServletWebServerFactory> {
    private static final Logger LOG = LoggerFactory.getLogger(TomcatProblems.class);

    @Override
    public void customize(TomcatServletWebServerFactory factory) {
        factory.addContextCustomizers(context -> {
            Container host = context.getParent();
            if (host instanceof StandardHost standard) {
                standard.setErrorReportValveClass(Report.class.getName());
            }
        });
    }

    /** Instantiated by Tomcat. */
    public static final class Report extends ErrorReportValve {
        @Override
        protected void report(Request request, Response response, @Nullable Throwable failure) {
            int status = response.getStatus();
            if (status < 400 || response.getContentWritten() > 0 || !response.setErrorReported()) {
                return;
            }
            // 501 is a transfer coding that Tomcat does not know, 505 a version of HTTP.
            HttpConnection connection = HttpConnection.current();
            if (connection != null && status == 400) {
                connection.malformed();
            }
            LOG.debug("What {} sent is refused with {}", request.getRemoteAddr(), status);
            boolean ofRequest = status < 500 || status == 501 || status == 505;
            Errno errno = ofRequest ? Errno.EINVAL : Errno.EIO;
            String detail = ofRequest
                    ? "The request is no valid HTTP, or its path could be read in two ways. Send it as RFC 9112 has it, and paths plainly."
                    : "This is a defect of the server, of which its log says more. Tell the operator.";
            try {
                // Nothing in it comes from the request, which may be none.
                Problems.write(response, Problems.of(HttpStatusCode.valueOf(status), errno, detail, (String) null));
                response.finishResponse();
            } catch (IOException | IllegalStateException e) {
                // The client has gone, or an answer is already on its way.
            }
        }
    }
}
