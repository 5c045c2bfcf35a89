package io.socketproxy.http;

import io.socketproxy.overload.Room;
import jakarta.servlet.http.HttpServletRequest;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.lang.reflect.Type;
import org.springframework.core.MethodParameter;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpInputMessage;
import org.springframework.http.converter.HttpMessageConverter;
import org.springframework.web.bind.annotation.ControllerAdvice;
import org.springframework.web.servlet.mvc.method.annotation.RequestBodyAdviceAdapter;

/** Bounds JSON by what it is for, and counts what reading it takes of the heap while it is read. */
@ControllerAdvice
public class JsonBodies extends RequestBodyAdviceAdapter {
    /** What JSON takes that is no data: addresses, constants and numbers. */
    private static final int MAX_JSON = 65_536;

    /** Two in the parser's buffer, and one of the data that are made of it. */
    private static final int HEAP_PER_DATA = 3;

    /** Two in the parser's buffer, and two of strings, lists and records. */
    private static final int HEAP_PER_BYTE = 4;

    private final BodyProperties limits;
    private final HttpServletRequest request;

    /** A body that carries data, and may be as long as any. */
    public interface Data {
        /** Bytes of data that are held. */
        long length();
    }

    /** How many bytes of JSON a body may have that is no data, where 64 KiB are too few. */
    @Target(ElementType.TYPE)
    @Retention(RetentionPolicy.RUNTIME)
    public @interface AtMost {
        int value();
    }

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
            throw new BodyTooLong(limit);
        }
        int heapPerByte = isData(type) ? HEAP_PER_DATA : HEAP_PER_BYTE;
        Room room = CallsInFlight.room(request);
        room.expect(announced * heapPerByte);
        return new Message(message.getHeaders(), new Counted(message.getBody(), limit, heapPerByte, room));
    }

    private long limit(Type type) {
        long most = limits.maxBody().toBytes();
        return isData(type) ? most : Math.min(most, type instanceof Class<?> body ? longest(body) : MAX_JSON);
    }

    private static boolean isData(Type type) {
        return type instanceof Class<?> body && Data.class.isAssignableFrom(body);
    }

    private static int longest(Class<?> body) {
        AtMost longest = body.getAnnotation(AtMost.class);
        return longest == null ? MAX_JSON : longest.value();
    }

    @Override
    public Object afterBodyRead(
            Object body,
            HttpInputMessage message,
            MethodParameter parameter,
            Type type,
            Class<? extends HttpMessageConverter<?>> converterType) {
        if (body instanceof Data data) {
            // The parser has let go of the rest.
            Room room = CallsInFlight.room(request);
            room.giveBack(Math.max(0, room.held() - data.length()));
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
                throw new BodyTooLong(limit);
            }
            room.take((long) read * heapPerByte);
            if (count > MAX_JSON) {
                // A virtual thread goes on until it waits: without this, whoever brings much keeps all others waiting.
                Thread.yield();
            }
        }
    }
}
