package io.socketproxy.http;

import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.TypeMismatchException;
import org.springframework.http.MediaType;
import org.springframework.http.converter.HttpMessageNotReadableException;
import org.springframework.validation.FieldError;
import org.springframework.web.HttpMediaTypeNotSupportedException;
import org.springframework.web.bind.MethodArgumentNotValidException;
import org.springframework.web.bind.MissingServletRequestParameterException;
import org.springframework.web.method.annotation.MethodArgumentTypeMismatchException;
import org.springframework.web.servlet.resource.NoResourceFoundException;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.databind.exc.UnrecognizedPropertyException;

/**
 * Why Spring could not make a call's arguments of a request, in the words of who sent it.
 *
 * @param detail what is wrong and what to do about it
 * @param field of the body, or the parameter, that it is about; null where it is about none
 */
public record UnfitRequest(String detail, @Nullable String field) {
    /** What the exception tells of the request. */
    public static UnfitRequest of(Exception exception) {
        return new UnfitRequest(detail(exception), field(exception));
    }

    private static String detail(Exception exception) {
        return switch (exception) {
            case HttpMessageNotReadableException unreadable -> {
                UnrecognizedPropertyException unknown = Causes.find(unreadable, UnrecognizedPropertyException.class);
                if (unknown != null) {
                    yield "there is no field " + path(unknown) + " here; known are "
                            + unknown.getKnownPropertyIds().stream()
                                    .map(String::valueOf)
                                    .sorted()
                                    .collect(Collectors.joining(", "));
                }
                JacksonException json = Causes.find(unreadable, JacksonException.class);
                if (json != null) {
                    String where = path(json).isEmpty() ? "the JSON body" : path(json);
                    yield where + " is not as it must be: " + json.getOriginalMessage();
                }
                yield "the body is missing; send JSON";
            }
            case MethodArgumentTypeMismatchException mismatch ->
                mismatch.getName() + " cannot be \"" + mismatch.getValue() + "\"";
            case TypeMismatchException mismatch ->
                mismatch.getPropertyName() + " cannot be \"" + mismatch.getValue() + "\"";
            case MissingServletRequestParameterException missing ->
                "the parameter " + missing.getParameterName() + " is missing";
            case MethodArgumentNotValidException invalid -> {
                FieldError error = invalid.getBindingResult().getFieldError();
                yield error == null
                        ? "an argument is not valid"
                        : error.getField() + " cannot be \"" + error.getRejectedValue() + "\"";
            }
            case HttpMediaTypeNotSupportedException unsupported ->
                "a body of type " + unsupported.getContentType() + " is not taken here; send one of "
                        + unsupported.getSupportedMediaTypes()
                        + (unsupported.getSupportedMediaTypes().contains(MediaType.APPLICATION_OCTET_STREAM)
                                ? " (curl: -H 'Content-Type: application/octet-stream' --data-binary …)"
                                : "");
            case NoResourceFoundException absent -> "there is nothing at this path; see /swagger-ui.html";
            default -> String.valueOf(exception.getMessage());
        };
    }

    private static @Nullable String field(Exception exception) {
        if (exception instanceof MissingServletRequestParameterException missing) {
            return missing.getParameterName();
        }
        if (exception instanceof MethodArgumentTypeMismatchException mismatch) {
            return mismatch.getName();
        }
        if (exception instanceof MethodArgumentNotValidException invalid) {
            FieldError error = invalid.getBindingResult().getFieldError();
            return error == null ? null : error.getField();
        }
        JacksonException json = Causes.find(exception, JacksonException.class);
        if (json == null) {
            return null;
        }
        // A name that comes twice is met while the names are read, of which there is no path yet.
        return path(json).isEmpty() && json.processor() instanceof JsonParser parser
                ? parser.currentName()
                : path(json).isEmpty() ? null : path(json);
    }

    /** Where in the body, such as {@code sockets[0].events}. */
    private static String path(JacksonException exception) {
        StringBuilder path = new StringBuilder();
        for (JacksonException.Reference reference : exception.getPath()) {
            if (reference.getPropertyName() != null) {
                path.append(path.isEmpty() ? "" : ".").append(reference.getPropertyName());
            } else {
                path.append('[').append(reference.getIndex()).append(']');
            }
        }
        return path.toString();
    }
}
