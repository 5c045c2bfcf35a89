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

        Refused(String why) {
            super(why);
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

    private static UnixAddress resolve(SockAddr.Unix asked, boolean followLast) throws Refused {
        String path = asked.path();
        if (path.isEmpty() || path.charAt(0) == '\0') {
            return new UnixAddress(asked, "@" + (path.isEmpty() ? "" : path.substring(1)));
        }
        if (path.charAt(0) != '/') {
            throw new Refused("the path is not absolute");
        }
        for (String segment : path.split("/", -1)) {
            if (segment.equals("..")) {
                throw new Refused("the path has a '..' segment");
            }
        }
        try {
            Path normal = Path.of(path).normalize();
            Path parent = normal.getParent();
            if (parent == null) {
                throw new Refused("the path names no file");
            }
            Path resolved = parent.toRealPath().resolve(normal.getFileName());
            if (followLast && Files.isSymbolicLink(resolved)) {
                resolved = resolved.toRealPath();
            }
            String text = resolved.toString();
            return new UnixAddress(new SockAddr.Unix(text), text);
        } catch (NoSuchFileException e) {
            throw new Refused("a directory of the path, or what a symbolic link in it points to, does not exist");
        } catch (IOException e) {
            throw new Refused("the path cannot be resolved (" + e.getClass().getSimpleName() + ")");
        } catch (InvalidPathException e) {
            throw new Refused("the path cannot be read as a file name");
        } catch (IllegalArgumentException e) {
            throw new Refused("the path is too long with its symbolic links resolved");
        }
    }
}
