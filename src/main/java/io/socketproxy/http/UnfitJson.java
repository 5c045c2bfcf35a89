package io.socketproxy.http;

import java.util.Collection;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.exc.InputCoercionException;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.exc.UnexpectedEndOfInputException;
import tools.jackson.databind.exc.MismatchedInputException;
import tools.jackson.databind.exc.UnrecognizedPropertyException;

/** What is wrong with a JSON body, in words that know of JSON and of the interface, and not of the parser. */
final class UnfitJson {
    private UnfitJson() {}

    static String detail(JacksonException exception) {
        String field = field(exception);
        String subject = field == null ? "The body" : field;
        return switch (exception) {
            case UnrecognizedPropertyException unknown ->
                "Unknown field \"" + field + "\". Known are: "
                        + unknown.getKnownPropertyIds().stream()
                                .map(String::valueOf)
                                .sorted()
                                .collect(Collectors.joining(", "))
                        + ".";
            case UnfitValue own -> subject + " " + own.getOriginalMessage() + ".";
            case MismatchedInputException mismatch ->
                subject + " must be " + expected(mismatch.getTargetType()) + found(mismatch) + ".";
            case InputCoercionException mismatch -> subject + " must be " + expected(mismatch.getTargetType()) + ".";
            case StreamConstraintsException excess ->
                "The body has too long a number or name, or is nested too deeply" + at(excess) + ".";
            case UnexpectedEndOfInputException end -> "The body is not valid JSON: it ends too early" + at(end) + ".";
            default ->
                isTwice(exception)
                        ? "The field " + field + " is given twice. Give it once."
                        : "The body is not valid JSON" + at(exception) + ".";
        };
    }

    /** The field that it is about, such as {@code sockets[0].events}; null for none. */
    static @Nullable String field(JacksonException exception) {
        String path = path(exception);
        if (!path.isEmpty()) {
            return path;
        }
        // A name that comes twice is met while the names are read, of which there is no path yet.
        return exception.processor() instanceof JsonParser parser ? parser.currentName() : null;
    }

    private static boolean isTwice(JacksonException exception) {
        return says(exception, "Duplicate ");
    }

    /** A string where something else belongs, which most often is a number in quotation marks. */
    private static String found(JacksonException exception) {
        return says(exception, "Cannot coerce String ") ? ", not a string" : "";
    }

    /** Where the parser has no type of exception for what it has found. */
    private static boolean says(JacksonException exception, String beginning) {
        return String.valueOf(exception.getOriginalMessage()).startsWith(beginning);
    }

    private static String expected(@Nullable Class<?> type) {
        if (type == null) {
            return "of another type";
        }
        if (type == String.class) {
            return "a string";
        }
        if (type == byte[].class) {
            return "a string of base64";
        }
        if (type == Integer.class || type == int.class) {
            return "an integer of 32 bits";
        }
        if (type == Long.class || type == long.class) {
            return "an integer of 64 bits";
        }
        if (type == Boolean.class || type == boolean.class) {
            return "true or false";
        }
        if (Collection.class.isAssignableFrom(type)) {
            return "an array";
        }
        return type.isRecord() ? "one JSON object" : "of another type";
    }

    private static String at(JacksonException exception) {
        return exception.getLocation() == null || exception.getLocation().getLineNr() < 1
                ? ""
                : ", at line " + exception.getLocation().getLineNr() + ", column "
                        + exception.getLocation().getColumnNr();
    }

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
