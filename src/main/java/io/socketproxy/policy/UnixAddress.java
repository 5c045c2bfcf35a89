package io.socketproxy.policy;

import io.socketproxy.libc.SockAddr;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * An AF_UNIX address made ready for matching: links followed as the kernel will follow them.
 *
 * @param address what to give to the kernel in place of what was asked for
 * @param text what patterns are matched with
 */
record UnixAddress(SockAddr.Unix address, String text) {
    /** Why an address is refused whatever the patterns say. */
    static final class Refused extends Exception {
        private static final long serialVersionUID = 1L;

        private final boolean ofTheText;

        private Refused(String why, boolean ofTheText) {
            super(why);
            this.ofTheText = ofTheText;
        }

        /** Whether it follows from the path as it is written, and not from what is in the file system. */
        boolean isOfTheText() {
            return ofTheText;
        }
    }

    /**
     * For connecting, where the kernel follows a link in the last place too.
     *
     * @throws Refused not absolute, with {@code ..}, or not to be resolved
     */
    static UnixAddress toConnect(SockAddr.Unix asked) throws Refused {
        return resolve(asked, true);
    }

    /**
     * For binding, where the kernel makes the last place and follows no link there.
     *
     * @throws Refused not absolute, with {@code ..}, or not to be resolved
     */
    static UnixAddress toBind(SockAddr.Unix asked) throws Refused {
        return resolve(asked, false);
    }

    /** Without a look at the file system: what patterns would be matched with if no directory of the path were a link. */
    static UnixAddress asWritten(SockAddr.Unix asked) {
        String path = asked.path();
        if (path.isEmpty() || path.charAt(0) == '\0') {
            return new UnixAddress(asked, "@" + (path.isEmpty() ? "" : path.substring(1)));
        }
        try {
            return new UnixAddress(asked, Path.of(path).normalize().toString());
        } catch (InvalidPathException e) {
            return new UnixAddress(asked, path);
        }
    }

    private static UnixAddress resolve(SockAddr.Unix asked, boolean followLast) throws Refused {
        String path = asked.path();
        if (path.isEmpty() || path.charAt(0) == '\0') {
            return asWritten(asked);
        }
        if (path.charAt(0) != '/') {
            throw new Refused("the path is not absolute", true);
        }
        for (String segment : path.split("/", -1)) {
            if (segment.equals("..")) {
                throw new Refused("the path has a '..' segment", true);
            }
        }
        try {
            Path normal = Path.of(path).normalize();
            Path parent = normal.getParent();
            if (parent == null) {
                throw new Refused("the path names no file", true);
            }
            Path resolved = parent.toRealPath().resolve(normal.getFileName());
            if (followLast && Files.isSymbolicLink(resolved)) {
                resolved = resolved.toRealPath();
            }
            String text = resolved.toString();
            return new UnixAddress(new SockAddr.Unix(text), text);
        } catch (NoSuchFileException e) {
            throw new Refused(
                    "a directory of the path, or what a symbolic link in it points to, does not exist", false);
        } catch (IOException e) {
            throw new Refused("the path cannot be resolved (" + e.getClass().getSimpleName() + ")", false);
        } catch (InvalidPathException e) {
            throw new Refused("the path cannot be read as a file name", true);
        } catch (IllegalArgumentException e) {
            throw new Refused("the path is too long with its symbolic links resolved", false);
        }
    }
}
