package io.socketproxy.rest;

import io.socketproxy.fault.SocketFault;
import io.socketproxy.http.UnfitValue;
import io.socketproxy.libc.Constants;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.core.convert.converter.Converter;
import org.springframework.stereotype.Component;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.ValueDeserializer;
import tools.jackson.databind.annotation.JsonDeserialize;

/**
 * A constant, or several combined, as a caller wrote it: {@code "AF_INET"}, {@code 2}, {@code "MSG_PEEK|MSG_DONTWAIT"} or
 * {@code ["MSG_PEEK", "MSG_DONTWAIT"]}; not looked up yet, since only the use tells which names belong there.
 */
@JsonDeserialize(using = Constant.FromJson.class)
public record Constant(List<String> terms) {
    /** More than any list of flags has. */
    private static final int MAX_TERMS = 32;

    private static final String TOO_MANY = "combines more than " + MAX_TERMS + " constants";

    private static final String NONE = "must be a constant's name or number, or an array of them";

    private static final Pattern NUMBER = Pattern.compile("-?(0[xX][0-9a-fA-F]{1,8}|[0-9]{1,11})");

    public static Constant parse(String text) {
        if (text.isBlank()) {
            return new Constant(List.of());
        }
        String[] terms = text.split("\\|", MAX_TERMS + 1);
        if (terms.length > MAX_TERMS) {
            throw new IllegalArgumentException(TOO_MANY);
        }
        // Blanks may stand beside a bar, and nowhere else.
        for (int i = 0; i < terms.length; i++) {
            terms[i] = i == 0 ? terms[i] : terms[i].stripLeading();
            terms[i] = i == terms.length - 1 ? terms[i] : terms[i].stripTrailing();
        }
        return new Constant(List.of(terms));
    }

    /**
     * The number.
     *
     * @param field what the caller calls it
     * @param prefixes of the names that belong there
     * @throws SocketFault EINVAL naming the field
     */
    public int number(String field, String... prefixes) {
        long combined = 0;
        for (String term : terms) {
            combined |= numberOf(term, field, prefixes);
        }
        return (int) combined;
    }

    /** As {@link #number}, with a default for what the caller left out. */
    public static int numberOr(@Nullable Constant constant, int absent, String field, String... prefixes) {
        return constant == null || constant.terms().isEmpty() ? absent : constant.number(field, prefixes);
    }

    /** The flags of a send or a receive; 0 where the caller left them out. */
    public static int messageFlags(@Nullable Constant flags) {
        return numberOr(flags, 0, "flags", "MSG_");
    }

    private static long numberOf(String term, String field, String... prefixes) {
        for (String prefix : prefixes) {
            if (term.startsWith(prefix)) {
                OptionalLong number = Constants.find(term);
                if (number.isPresent()) {
                    return number.getAsLong();
                }
            }
        }
        // Not whatever Long.decode takes: it knows the digits of all scripts.
        if (NUMBER.matcher(term).matches()) {
            try {
                long number = Long.decode(term);
                if (number >= Integer.MIN_VALUE && number <= 0xffff_ffffL) {
                    return number;
                }
            } catch (NumberFormatException e) {
                // An 8 in an octal number; said below.
            }
        }
        throw SocketFault.invalid(
                field,
                "\"" + term + "\" is neither a number of 32 bits nor a constant that begins with "
                        + String.join(" or ", prefixes) + ". GET /api/v1/constants lists them.");
    }

    /** For query parameters and path variables. */
    @Component
    static final class FromText implements Converter<String, Constant> {
        @Override
        public Constant convert(String text) {
            return parse(text);
        }
    }

    /** A JSON string, integer, or array of strings. */
    static final class FromJson extends ValueDeserializer<Constant> {
        @Override
        public Constant deserialize(JsonParser json, DeserializationContext context) {
            if (json.hasToken(JsonToken.VALUE_STRING)) {
                try {
                    return parse(json.getString());
                } catch (IllegalArgumentException e) {
                    throw new UnfitValue(json, TOO_MANY);
                }
            }
            if (json.hasToken(JsonToken.VALUE_NUMBER_INT)) {
                return new Constant(List.of(json.getString()));
            }
            if (json.hasToken(JsonToken.START_ARRAY)) {
                List<String> terms = new ArrayList<>();
                while (json.nextToken() != JsonToken.END_ARRAY) {
                    if (!json.hasToken(JsonToken.VALUE_STRING) && !json.hasToken(JsonToken.VALUE_NUMBER_INT)) {
                        throw new UnfitValue(json, NONE);
                    }
                    if (terms.size() == MAX_TERMS) {
                        throw new UnfitValue(json, TOO_MANY);
                    }
                    terms.add(json.getString());
                }
                return new Constant(terms);
            }
            throw new UnfitValue(json, NONE);
        }
    }
}
