package io.socketproxy.websocket;

import java.util.concurrent.locks.Lock;
import org.apache.tomcat.util.net.SocketWrapperBase;

/**
 * Closes Tomcat's end of an upgraded connection once Tomcat is done with the upgrade.
 *
 * <p>Tomcat's thread goes on after {@link HandOver#init}: it notes the connection's processor in a list that only the closing takes
 * it from. A short stream can be over before that, and one that was closed before it was noted would stay in the list for ever. All that
 * Tomcat does with a connection it does under the connection's lock, so the closing takes that.
 */
final class TomcatEnd {
    private TomcatEnd() {}

    /** Runs on the calling thread if Tomcat is done, which it nearly always is, and else on another as soon as it is. Never blocks. */
    static void whenDone(SocketWrapperBase<?> tomcats, Runnable closing) {
        Lock lock = tomcats.getLock();
        if (lock.tryLock()) {
            try {
                closing.run();
            } finally {
                lock.unlock();
            }
        } else {
            afterwards(tomcats, closing);
        }
    }

    /** As {@link #whenDone}, from Tomcat's own thread in mid-upgrade, which has the lock. */
    static void afterwards(SocketWrapperBase<?> tomcats, Runnable closing) {
        Thread.ofVirtual().name("stream-close").start(() -> {
            Lock lock = tomcats.getLock();
            lock.lock();
            try {
                closing.run();
            } finally {
                lock.unlock();
            }
        });
    }
}
