package io.socketproxy.rest.bytes;

import jakarta.servlet.http.HttpServletRequest;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import org.springframework.http.HttpHeaders;
import org.springframework.http.InvalidMediaTypeException;
import org.springframework.http.MediaType;
import org.springframework.util.MimeTypeUtils;

/** How received bytes are answered. */
enum Form {
    /** As they are. */
    BYTES,
    JSON,
    /** As they are, called text. */
    TEXT;

    private static final MediaType PLAIN_TEXT = new MediaType(MediaType.TEXT_PLAIN, StandardCharsets.UTF_8);

    MediaType type() {
        return switch (this) {
            case BYTES -> MediaType.APPLICATION_OCTET_STREAM;
            case JSON -> MediaType.APPLICATION_JSON;
            case TEXT -> PLAIN_TEXT;
        };
    }

    /** What a client asked for: bytes, unless it names JSON or text before them. */
    static Form of(HttpServletRequest http) {
        String accept = String.join(",", Collections.list(http.getHeaders(HttpHeaders.ACCEPT)));
        List<MediaType> types;
        try {
            types = MediaType.parseMediaTypes(accept);
        } catch (InvalidMediaTypeException e) {
            return BYTES;
        }
        MimeTypeUtils.sortBySpecificity(types);
        for (MediaType type : types) {
            for (Form form : values()) {
                if (type.includes(form.type())) {
                    return form;
                }
            }
        }
        return BYTES;
    }
}
