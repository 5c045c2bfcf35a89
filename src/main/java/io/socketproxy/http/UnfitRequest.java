package io.socketproxy.http;

import io.socketproxy.fault.Causes;
import jakarta.servlet.http.HttpServletRequest;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.TypeMismatchException;
import org.springframework.http.HttpHeaders;
import org.springframework.http.MediaType;
import org.springframework.http.converter.HttpMessageNotReadableException;
import org.springframework.validation.FieldError;
import org.springframework.web.HttpMediaTypeNotAcceptableException;
import org.springframework.web.HttpMediaTypeNotSupportedException;
import org.springframework.web.HttpRequestMethodNotSupportedException;
import org.springframework.web.bind.MethodArgumentNotValidException;
import org.springframework.web.bind.MissingServletRequestParameterException;
import org.springframework.web.method.annotation.MethodArgumentTypeMismatchException;
import org.springframework.web.servlet.resource.NoResourceFoundException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.exc.UnrecognizedPropertyException;

/**
 * Why Spring could not make a call's arguments of a request, in the words of who sent it.
 *
 * @param detail what is wrong and what to do about it
 * @param field of the body, or the parameter, that it is about; null where it is about none
 */
public record UnfitRequest(String detail, @Nullable String field) {
    /** What the exception tells of the request. */
    public static UnfitRequest of(Exception exception, HttpServletRequest request) {
        String field = field(exception);
        if (field != null
                && Causes.find(exception, UnrecognizedPropertyException.class) != null
                && KnownParameters.has(request, field)) {
            return new UnfitRequest(field + " is no field here. Give it as a query parameter: ?" + field + "=…", field);
        }
        return new UnfitRequest(detail(exception), field);
    }

    private static String detail(Exception exception) {
        return switch (exception) {
            case HttpMessageNotReadableException unreadable -> {
                JacksonException json = Causes.find(unreadable, JacksonException.class);
                yield json == null ? "The body is missing. Send JSON." : UnfitJson.detail(json);
            }
            case MethodArgumentTypeMismatchException mismatch
            when mismatch.getRequiredType() == Boolean.class || mismatch.getRequiredType() == boolean.class ->
                mismatch.getName() + " must be true or false, not \"" + mismatch.getValue() + "\".";
            case MethodArgumentTypeMismatchException mismatch ->
                mismatch.getName() + " cannot be \"" + mismatch.getValue() + "\".";
            case TypeMismatchException mismatch ->
                mismatch.getPropertyName() + " cannot be \"" + mismatch.getValue() + "\".";
            case MissingServletRequestParameterException missing ->
                "The parameter " + missing.getParameterName() + " is missing.";
            case MethodArgumentNotValidException invalid -> {
                FieldError error = invalid.getBindingResult().getFieldError();
                yield error == null
                        ? "An argument is not valid."
                        : error.getField() + " cannot be \"" + error.getRejectedValue() + "\".";
            }
            case HttpMediaTypeNotAcceptableException unacceptable ->
                "Accept " + types(unacceptable.getSupportedMediaTypes(), "application/json") + ".";
            case HttpMediaTypeNotSupportedException unsupported -> {
                MediaType given = unsupported.getContentType();
                String types = types(unsupported.getSupportedMediaTypes(), "of another type");
                yield given == null
                        ? "The body has no Content-Type, or none that can be read. Send " + types + "."
                        : "The body must be " + types + ", not " + plain(given) + "."
                                + curl(given, types.contains(MediaType.APPLICATION_OCTET_STREAM_VALUE));
            }
            case HttpRequestMethodNotSupportedException unsupported ->
                "There is no " + unsupported.getMethod() + " at this path. Use "
                        + alternatives(List.of(Objects.requireNonNullElse(
                                unsupported.getSupportedMethods(), new String[] {"another"})))
                        + ".";
            case NoResourceFoundException absent -> "There is nothing at this path. See /swagger-ui.html.";
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
        if (exception instanceof HttpMediaTypeNotAcceptableException) {
            return HttpHeaders.ACCEPT;
        }
        if (exception instanceof HttpMediaTypeNotSupportedException) {
            return HttpHeaders.CONTENT_TYPE;
        }
        JacksonException json = Causes.find(exception, JacksonException.class);
        return json == null ? null : UnfitJson.field(json);
    }

    /** Media types, without what a client need not know of: wildcards and parameters. */
    private static String types(List<MediaType> types, String otherwise) {
        List<String> plain = types.stream()
                .filter(MediaType::isConcrete)
                .map(UnfitRequest::plain)
                .distinct()
                .toList();
        return plain.isEmpty() ? otherwise : alternatives(plain);
    }

    /** What curl's -d alone does not say. */
    private static String curl(MediaType given, boolean bytes) {
        if (bytes) {
            return " With curl: -H 'Content-Type: application/octet-stream' --data-binary …";
        }
        return given.equalsTypeAndSubtype(MediaType.APPLICATION_FORM_URLENCODED)
                ? " With curl: -H 'Content-Type: application/json' -d …"
                : "";
    }

    private static String plain(MediaType type) {
        return type.getType() + "/" + type.getSubtype();
    }

    private static String alternatives(List<String> names) {
        int last = names.size() - 1;
        return last < 1 ? String.join("", names) : String.join(", ", names.subList(0, last)) + " or " + names.get(last);
    }
}
