package io.socketproxy.registry;

import io.socketproxy.libc.SockAddr;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The file that bind(2) makes for an AF_UNIX address, which the kernel leaves behind: unix(7) has the caller unlink it.
 *
 * @param inode the file system's and the file's number: what another process has put in its place is not removed
 */
record BoundPath(Path path, Object inode) {
    private static final Logger LOG = LoggerFactory.getLogger(BoundPath.class);

    /** The file of an address that was bound just now; null for an abstract or unnamed one, which has none. */
    static @Nullable BoundPath of(SockAddr address) {
        if (!(address instanceof SockAddr.Unix unix) || !unix.path().startsWith("/")) {
            return null;
        }
        try {
            Path path = Path.of(unix.path());
            return new BoundPath(path, inode(path));
        } catch (IOException | InvalidPathException e) {
            LOG.debug("what was bound at {} is not there", unix.path(), e);
            return null;
        }
    }

    void remove() {
        try {
            if (inode.equals(inode(path))) {
                Files.delete(path);
            }
        } catch (IOException e) {
            LOG.debug("{} is not removed", path, e);
        }
    }

    private static Object inode(Path path) throws IOException {
        return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                .fileKey();
    }
}
