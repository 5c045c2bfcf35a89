/*
 * The far end of every benchmark: one thread, epoll, loopback only.
 *
 *   target BASE    TCP BASE+0 control (answers how many bytes the sink has taken, and closes)
 *                      BASE+1 sink     (reads and drops)
 *                      BASE+2 source   (writes without end)
 *                      BASE+3 echo
 *                  UDP BASE+3 echo
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum role { CONTROL, SINK, SOURCE, ECHO, ROLES, UDP_ECHO };

struct connection {
    int fd;
    enum role role;
    int listening;
    char *pending; /* echo: what the socket would not take yet */
    size_t offset, length;
};

static char buffer[1 << 20];
static char noise[1 << 18];
static unsigned long long sunk;
static int epoll_fd;

static int open_port(int type, int port) {
    int fd = socket(AF_INET, type | SOCK_NONBLOCK, 0), one = 1;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) || (type == SOCK_STREAM && listen(fd, 4096))) {
        perror("target: bind");
        exit(1);
    }
    return fd;
}

static void watch(struct connection *c, int operation, unsigned events) {
    struct epoll_event event = {.events = events, .data.ptr = c};
    epoll_ctl(epoll_fd, operation, c->fd, &event);
}

static struct connection *add(int fd, enum role role, int listening, unsigned events) {
    struct connection *c = calloc(1, sizeof *c);
    c->fd = fd;
    c->role = role;
    c->listening = listening;
    watch(c, EPOLL_CTL_ADD, events);
    return c;
}

static void drop(struct connection *c) {
    close(c->fd);
    free(c->pending);
    free(c);
}

static void accept_all(struct connection *listener) {
    int fd, one = 1;
    while ((fd = accept4(listener->fd, 0, 0, SOCK_NONBLOCK)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (listener->role == CONTROL) {
            dprintf(fd, "%llu\n", sunk);
            close(fd);
        } else {
            add(fd, listener->role, 0, listener->role == SOURCE ? EPOLLIN | EPOLLOUT : EPOLLIN);
        }
    }
}

static void serve_sink(struct connection *c) {
    ssize_t n = recv(c->fd, buffer, sizeof buffer, MSG_TRUNC); /* MSG_TRUNC: dropped without a copy */
    if (n > 0)
        sunk += n;
    else if (n == 0 || errno != EAGAIN)
        drop(c);
}

static void serve_source(struct connection *c, unsigned events) {
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        ssize_t n = recv(c->fd, buffer, sizeof buffer, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN)) {
            drop(c);
            return;
        }
    }
    if (events & EPOLLOUT && send(c->fd, noise, sizeof noise, MSG_NOSIGNAL) < 0 && errno != EAGAIN)
        drop(c);
}

static void serve_echo(struct connection *c) {
    if (c->pending) {
        ssize_t sent = send(c->fd, c->pending + c->offset, c->length - c->offset, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno != EAGAIN)
                drop(c);
            return;
        }
        c->offset += sent;
        if (c->offset == c->length) {
            free(c->pending);
            c->pending = 0;
            watch(c, EPOLL_CTL_MOD, EPOLLIN);
        }
        return;
    }
    ssize_t got = recv(c->fd, buffer, 1 << 16, 0);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN)
            drop(c);
        return;
    }
    ssize_t sent = send(c->fd, buffer, got, MSG_NOSIGNAL);
    if (sent < 0) {
        if (errno != EAGAIN) {
            drop(c);
            return;
        }
        sent = 0;
    }
    if (sent < got) {
        c->length = got - sent;
        c->offset = 0;
        c->pending = malloc(c->length);
        memcpy(c->pending, buffer + sent, c->length);
        watch(c, EPOLL_CTL_MOD, EPOLLOUT);
    }
}

static void serve_udp(int fd) {
    struct sockaddr_in from;
    for (;;) {
        socklen_t length = sizeof from;
        ssize_t n = recvfrom(fd, buffer, sizeof buffer, 0, (struct sockaddr *)&from, &length);
        if (n < 0)
            return;
        sendto(fd, buffer, n, 0, (struct sockaddr *)&from, length);
    }
}

int main(int count, char **arguments) {
    int base = count > 1 ? atoi(arguments[1]) : 9000, room = 1 << 22;
    signal(SIGPIPE, SIG_IGN);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (i * 2654435761u) >> 13;
    for (int role = CONTROL; role < ROLES; role++)
        add(open_port(SOCK_STREAM, base + role), role, 1, EPOLLIN);
    int udp = open_port(SOCK_DGRAM, base + ECHO);
    setsockopt(udp, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    add(udp, UDP_ECHO, 0, EPOLLIN);
    for (;;) {
        struct epoll_event events[256];
        int ready = epoll_wait(epoll_fd, events, 256, -1);
        for (int i = 0; i < ready; i++) {
            struct connection *c = events[i].data.ptr;
            if (c->listening)
                accept_all(c);
            else if (c->role == SINK)
                serve_sink(c);
            else if (c->role == SOURCE)
                serve_source(c, events[i].events);
            else if (c->role == ECHO)
                serve_echo(c);
            else
                serve_udp(c->fd);
        }
    }
}
