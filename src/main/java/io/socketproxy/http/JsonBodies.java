package io.socketproxy.rest;

import io.socketproxy.overload.Room;
import jakarta.servlet.http.HttpServletRequest;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Type;
import org.springframework.core.MethodParameter;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpInputMessage;
import org.springframework.http.converter.HttpMessageConverter;
import org.springframework.web.bind.annotation.ControllerAdvice;
import org.springframework.web.servlet.mvc.method.annotation.RequestBodyAdviceAdapter;

/** Bounds JSON by what it is for, and counts what reading it takes of the heap while it is read. */
@ControllerAdvice
class JsonBodies extends RequestBodyAdviceAdapter {
    /** What JSON takes that is no data: addresses, constants and numbers. */
    static final int MAX_JSON = 65_536;

    /** What the most entries of a poll take. */
    static final int MAX_POLL_JSON = 2_097_152;

    /** Two in the parser's buffer, and one of the data that are made of it. */
    private static final int HEAP_PER_DATA = 3;

    /** Two in the parser's buffer, and two of strings, lists and records. */
    private static final int HEAP_PER_BYTE = 4;

    private final BodyProperties limits;
    private final HttpServletRequest request;

    /** @param request of the calling thread */
    JsonBodies(BodyProperties limits, HttpServletRequest request) {
        this.limits = limits;
        this.request = request;
    }

    @Override
    public boolean supports(
            MethodParameter parameter, Type type, Class<? extends HttpMessageConverter<?>> converterType) {
        return true;
    }

    @Override
    public HttpInputMessage beforeBodyRead(
            HttpInputMessage message,
            MethodParameter parameter,
            Type type,
            Class<? extends HttpMessageConverter<?>> converterType)
            throws IOException {
        long limit = limit(type);
        long announced = message.getHeaders().getContentLength();
        if (announced > limit) {
            throw new BodyLimit.BodyTooLong(limit);
        }
        int heapPerByte = type == DataController.SendRequest.class ? HEAP_PER_DATA : HEAP_PER_BYTE;
        Room room = CallsInFlight.room(request);
        room.expect(announced * heapPerByte);
        return new Message(message.getHeaders(), new Counted(message.getBody(), limit, heapPerByte, room));
    }

    private long limit(Type type) {
        if (type == DataController.SendRequest.class) {
            return limits.maxBody().toBytes();
        }
        return Math.min(
                limits.maxBody().toBytes(), type == DataController.PollRequest.class ? MAX_POLL_JSON : MAX_JSON);
    }

    @Override
    public Object afterBodyRead(
            Object body,
            HttpInputMessage message,
            MethodParameter parameter,
            Type type,
            Class<? extends HttpMessageConverter<?>> converterType) {
        if (body instanceof DataController.SendRequest send) {
            // The parser has let go of the rest.
            Room room = CallsInFlight.room(request);
            room.giveBack(Math.max(0, room.held() - send.length()));
        }
        return body;
    }

    private record Message(HttpHeaders headers, InputStream body) implements HttpInputMessage {
        @Override
        public HttpHeaders getHeaders() {
            return headers;
        }

        @Override
        public InputStream getBody() {
            return body;
        }
    }

    private static final class Counted extends FilterInputStream {
        private final long limit;
        private final int heapPerByte;
        private final Room room;
        private long count;

        Counted(InputStream body, long limit, int heapPerByte, Room room) {
            super(body);
            this.limit = limit;
            this.heapPerByte = heapPerByte;
            this.room = room;
        }

        @Override
        public int read() throws IOException {
            int next = in.read();
            count(next < 0 ? 0 : 1);
            return next;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            int read = in.read(buffer, offset, length);
            count(Math.max(read, 0));
            return read;
        }

        // Thread.yield() is no hint to a virtual thread: its scheduler lets the next one run.
        @SuppressWarnings("ThreadPriorityCheck")
        private void count(int read) throws IOException {
            count += read;
            if (count > limit) {
                throw new BodyLimit.BodyTooLong(limit);
            }
            room.take((long) read * heapPerByte);
            if (count > MAX_JSON) {
                // A virtual thread goes on until it waits: without this, whoever brings much keeps all others waiting.
                Thread.yield();
            }
        }
    }
}
