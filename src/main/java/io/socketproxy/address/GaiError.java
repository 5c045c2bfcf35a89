package io.socketproxy.address;

import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.Messages;
import org.jspecify.annotations.Nullable;

/** A name that did not resolve, with its {@code EAI_*} number; see gai_strerror(3). */
public final class GaiError extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public static final int EAI_BADFLAGS = Constants.require("EAI_BADFLAGS");
    public static final int EAI_NONAME = Constants.require("EAI_NONAME");
    public static final int EAI_AGAIN = Constants.require("EAI_AGAIN");
    public static final int EAI_FAIL = Constants.require("EAI_FAIL");
    public static final int EAI_FAMILY = Constants.require("EAI_FAMILY");
    public static final int EAI_SOCKTYPE = Constants.require("EAI_SOCKTYPE");
    public static final int EAI_SERVICE = Constants.require("EAI_SERVICE");
    public static final int EAI_SYSTEM = Constants.require("EAI_SYSTEM");

    private final int code;
    private final @Nullable Errno errno;

    /**
     * @param code the EAI_ number
     * @param errno the errno, which only EAI_SYSTEM has
     * @param subject what was looked up, for the message
     */
    public GaiError(int code, @Nullable Errno errno, String subject) {
        super(subject + ": " + Messages.gaiStrerror(code));
        this.code = code;
        this.errno = code == EAI_SYSTEM ? errno : null;
    }

    /** The EAI_ number, negative on Linux. */
    public int code() {
        return code;
    }

    /** The symbolic name, such as {@code EAI_NONAME}. */
    public String gaiName() {
        return Constants.nameOf("EAI_", code).orElse("EAI_FAIL");
    }

    /** The library's message, such as {@code Name or service not known}. */
    public String gaiStrerror() {
        return Messages.gaiStrerror(code);
    }

    /** The errno behind EAI_SYSTEM. */
    public @Nullable Errno errno() {
        return errno;
    }
}
