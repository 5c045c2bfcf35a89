package io.socketproxy.http;

import io.socketproxy.libc.Errno;
import io.swagger.v3.oas.annotations.Hidden;
import jakarta.servlet.RequestDispatcher;
import jakarta.servlet.http.HttpServletRequest;
import org.springframework.boot.webmvc.error.ErrorController;
import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

/** Makes what the container refuses after the filters (TRACE, chunks that are none) a problem as well. */
@Hidden
@RestController
class ErrorProblems implements ErrorController {
    @RequestMapping("/error")
    ResponseEntity<Object> error(HttpServletRequest request) {
        ProblemDetail unread = UnreadBody.of(request);
        if (unread != null) {
            return Problems.answer(unread);
        }
        HttpStatus status = request.getAttribute(RequestDispatcher.ERROR_STATUS_CODE) instanceof Integer code
                ? HttpStatus.valueOf(code)
                : HttpStatus.NOT_FOUND;
        Errno errno =
                switch (status) {
                    case NOT_FOUND -> Errno.ENOENT;
                    case INTERNAL_SERVER_ERROR, SERVICE_UNAVAILABLE -> Errno.EIO;
                    default -> Errno.EINVAL;
                };
        String detail = errno == Errno.EIO
                ? "This is a defect of the server, of which its log says more. Tell the operator."
                : "The service does not take this request: " + status.getReasonPhrase()
                        + ". Send it as RFC 9112 has it.";
        String path = String.valueOf(request.getAttribute(RequestDispatcher.ERROR_REQUEST_URI));
        return Problems.answer(Problems.of(status, errno, detail, path));
    }
}
