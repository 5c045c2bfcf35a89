package io.socketproxy.http;

import io.socketproxy.overload.Budget;
import io.socketproxy.overload.Exhausted;
import io.socketproxy.overload.Overload;
import io.socketproxy.overload.Room;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.core.annotation.Order;
import org.springframework.stereotype.Component;
import org.springframework.web.filter.OncePerRequestFilter;
import org.springframework.web.servlet.HandlerExceptionResolver;

/** Counts calls from when their credential is known to their last byte, with the heap that their bodies and answers take. */
@Component
@Order(CallsInFlight.ORDER)
public class CallsInFlight extends OncePerRequestFilter {
    /** After the credential, and before anybody looks at the body. */
    static final int ORDER = 0;

    private static final String ROOM = CallsInFlight.class.getName() + ".room";

    private final Overload overload;
    private final HandlerExceptionResolver problems;

    CallsInFlight(Overload overload, @Qualifier("handlerExceptionResolver") HandlerExceptionResolver problems) {
        this.overload = overload;
        this.problems = problems;
    }

    /** Where the heap that the request takes is counted. */
    public static Room room(HttpServletRequest request) {
        return request.getAttribute(ROOM) instanceof Room room ? room : Room.unlimited();
    }

    @Override
    protected boolean shouldNotFilter(HttpServletRequest request) {
        // Health and metrics always get in, and what needs no credential has no body.
        return !request.getServletPath().startsWith("/api/");
    }

    @Override
    protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws ServletException, IOException {
        String owner = request.getRemoteUser();
        Budget.Grant call;
        try {
            call = overload.calls().take(owner, 1);
        } catch (Exhausted e) {
            problems.resolveException(request, response, null, e);
            return;
        }
        try (call;
                Room room = overload.room(owner)) {
            request.setAttribute(ROOM, room);
            chain.doFilter(request, response);
        }
    }
}
