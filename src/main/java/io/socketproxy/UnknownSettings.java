package io.socketproxy;

import java.util.List;

/** Something is set that is no setting. */
final class UnknownSettings extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** @param sentences one for each, with what may have been meant */
    UnknownSettings(List<String> sentences) {
        super(String.join("\n", sentences));
    }
}
