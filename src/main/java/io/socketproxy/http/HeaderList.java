package io.socketproxy.http;

import jakarta.servlet.http.HttpServletRequest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** A header whose value is a list of elements, which are separated by commas: RFC 9110 section 5.6.1. */
public final class HeaderList {
    private HeaderList() {}

    /** The elements of all the request's headers of the name, without the empty ones. */
    public static List<String> of(HttpServletRequest request, String name) {
        List<String> elements = new ArrayList<>();
        for (String value : Collections.list(request.getHeaders(name))) {
            for (String element : value.split(",")) {
                if (!element.isBlank()) {
                    elements.add(element.strip());
                }
            }
        }
        return elements;
    }

    /** Whether one of the elements is the token, in upper or lower case. */
    public static boolean has(HttpServletRequest request, String name, String token) {
        return of(request, name).stream().anyMatch(token::equalsIgnoreCase);
    }
}
