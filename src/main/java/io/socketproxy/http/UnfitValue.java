package io.socketproxy.http;

import tools.jackson.core.JsonParser;
import tools.jackson.databind.exc.MismatchedInputException;

/** A value of a JSON body that cannot be taken, in words of the service's own. */
public final class UnfitValue extends MismatchedInputException {
    private static final long serialVersionUID = 1L;

    /** @param detail goes on behind the field's name: {@code "has …"} */
    public UnfitValue(JsonParser json, String detail) {
        super(json, detail);
    }
}
