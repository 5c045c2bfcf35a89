package io.socketproxy.libc;

/** The events of epoll(7), whose numbers are those of poll(2) where both have them. */
public final class Epoll {
    public static final int EPOLLIN = Constants.POLLIN;
    public static final int EPOLLPRI = Constants.POLLPRI;
    public static final int EPOLLOUT = Constants.POLLOUT;
    public static final int EPOLLERR = Constants.POLLERR;
    public static final int EPOLLHUP = Constants.POLLHUP;
    public static final int EPOLLRDHUP = Constants.POLLRDHUP;

    // linux/eventpoll.h
    public static final int EPOLLONESHOT = 1 << 30;
    public static final int EPOLLET = 1 << 31;

    private Epoll() {}
}
