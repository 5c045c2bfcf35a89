package io.socketproxy.address;

import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.Messages;
import java.util.regex.Pattern;
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

    /** What belongs to a URL. */
    private static final Pattern NO_NAME = Pattern.compile("[/\\[\\]]|:\\d+$");

    private final int code;
    private final @Nullable Errno errno;

    /**
     * @param code the EAI_ number
     * @param errno the errno, which only EAI_SYSTEM has
     * @param subject what was looked up, for the message
     */
    public GaiError(int code, @Nullable Errno errno, String subject) {
        super(sentences(Constants.nameOf("EAI_", code).orElse(""), subject));
        this.code = code;
        this.errno = code == EAI_SYSTEM ? errno : null;
    }

    /** What happened and what to do about it; docs/errors.md has the same for readers. */
    private static String sentences(String name, String subject) {
        return switch (name) {
            case "EAI_BADFLAGS" -> "The flags are unknown, or need an argument that is missing. Correct flags.";
            case "EAI_NONAME" ->
                subject.isEmpty()
                        ? "Neither host nor port is given. Give one of them."
                        : "There is nothing by the name of " + subject
                                + (NO_NAME.matcher(subject).find()
                                        ? ". Give the name or the address alone, without a scheme, brackets or port."
                                        : ". Check the name.");
            case "EAI_AGAIN" -> "The name servers do not answer for " + subject + ". Try again later.";
            case "EAI_FAIL" ->
                "The name servers answer for " + subject
                        + " with a failure that will not pass by itself. Ask who runs them.";
            case "EAI_NODATA" -> subject + " exists and has no address of the kind asked for. Ask for another family.";
            case "EAI_FAMILY" -> "This family has no names. Use AF_UNSPEC, AF_INET or AF_INET6.";
            case "EAI_SOCKTYPE" ->
                "The type is unknown, or does not go with the protocol. Use SOCK_STREAM, SOCK_DGRAM or 0.";
            case "EAI_SERVICE" -> "The service is not known for this type. Give a port number.";
            case "EAI_ADDRFAMILY" ->
                subject + " has no address of this family. Ask for another family, or make the socket of another.";
            case "EAI_MEMORY" -> "The server has no memory for this now. Try again later.";
            case "EAI_OVERFLOW" -> "The name of " + subject + " is longer than the buffer for it. Use a shorter name.";
            default -> subject + " could not be looked up. Try again later.";
        };
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
