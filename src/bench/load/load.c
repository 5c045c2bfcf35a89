/*
 * A neutral load generator: WebSocket or raw TCP connections, UDP through a WebSocket or directly, and REST calls. One thread, epoll.
 *
 *   load MODE -p PORT [-u PATH] [-c CONNECTIONS] [-f FRAME] [-t SECONDS] [-w RAMP] [-r] [-C CONTROL] [-P PID[,PID]] [-H 'Name: value']
 *
 *   up      frames of FRAME bytes to the sink, as fast as they are taken
 *   down    from the source, as fast as it comes
 *   ping    one frame at a time to the echo and back, on every connection
 *   rate    connect, one echo, close, again
 *   idle    opens the connections, one echo each, prints READY and holds them until standard input says more
 *   verify  64 MiB through the echo in frames of mixed sizes, compared byte by byte
 *   udp     datagrams of FRAME bytes to the echo and back, 32 in flight on every connection; those not back in a second are lost
 *   rest    HTTP calls on keep-alive connections, of the -k kind:
 *             get     GET PATH
 *             socket  POST /api/v1/sockets, then DELETE what it made
 *             data    POST .../send and .../recv of 64 bytes on an echo connection (the echo is at the port CONTROL + 3)
 *
 * -r speaks raw TCP (or UDP) instead of WebSocket. The measured time begins after RAMP seconds. With -P the CPU seconds of those processes
 * and their children in that time are told, too. The result is one line of JSON.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char *mode, *path = "/", *pids = "", *header = "", *kind = "get";
static int port = 8080, control = 9000, connections = 1, frame_size = 16384, raw;
static double seconds = 3, ramp = 0.4;

static void die(const char *what) {
    fprintf(stderr, "load %s: %s%s%s\n", mode, what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(3);
}

/* --- time, CPU, randomness ------------------------------------------------------------------------------------------------------ */

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static uint64_t random_state = 88172645463325252ull;

static uint64_t next_random(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static size_t read_file(const char *name, char *into, size_t size) {
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, into, size - 1);
    if (fd >= 0)
        close(fd);
    into[n > 0 ? n : 0] = 0;
    return n > 0 ? n : 0;
}

/* User and system time of a process, its children that were waited for, and its living descendants, in seconds. */
static double cpu_of(const char *pid, int depth) {
    char name[96], text[65536];
    unsigned long user = 0, kernel = 0, children_user = 0, children_kernel = 0;
    snprintf(name, sizeof name, "/proc/%s/stat", pid);
    if (!read_file(name, text, 1024))
        return 0;
    char *after_name = strrchr(text, ')');
    if (!after_name)
        return 0;
    sscanf(after_name + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %lu %lu", &user, &kernel, &children_user,
           &children_kernel);
    double sum = (double)(user + kernel + children_user + children_kernel) / sysconf(_SC_CLK_TCK);
    snprintf(name, sizeof name, "/proc/%s/task/%s/children", pid, pid);
    if (depth < 3 && read_file(name, text, sizeof text)) {
        char *rest = 0;
        for (char *child = strtok_r(text, " ", &rest); child; child = strtok_r(0, " ", &rest))
            sum += cpu_of(child, depth + 1);
    }
    return sum;
}

static double cpu(void) {
    double sum = 0;
    char *copy = strdup(pids), *rest = 0;
    for (char *pid = strtok_r(copy, ",", &rest); pid; pid = strtok_r(0, ",", &rest))
        sum += cpu_of(pid, 0);
    free(copy);
    return sum;
}

/* --- the measured time, and what is told of it -------------------------------------------------------------------------------------- */

static struct {
    double begins, ends, began, cpu;
    int open;
} window;

static float *latencies; /* microseconds */
static size_t latency_count, latency_room;

static void window_set(void) {
    window.begins = now() + ramp;
    window.ends = window.begins + seconds;
}

static int window_over(void) { return now() >= window.ends; }

/* True once, when the ramp is over: time to note what was counted until here. */
static int window_opens(void) {
    if (window.open || now() < window.begins)
        return 0;
    window.open = 1;
    window.cpu = cpu();
    window.began = now();
    latency_count = 0;
    return 1;
}

static void add_latency(double began) {
    if (latency_count == latency_room) {
        latency_room = latency_room ? latency_room * 2 : 1 << 16;
        latencies = realloc(latencies, latency_room * sizeof *latencies);
    }
    latencies[latency_count++] = (now() - began) * 1e6;
}

static int by_value(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void tell(double bytes, double operations, long failures, double lost) {
    double took = now() - window.began, used = cpu() - window.cpu;
    qsort(latencies, latency_count, sizeof *latencies, by_value);
    printf("{\"mode\":\"%s\",\"connections\":%d,\"frame\":%d,\"seconds\":%.3f,\"MBps\":%.2f,\"perSecond\":%.1f,\"cpuSeconds\":%.2f,"
           "\"cpuPerGB\":%.4f,\"cpuMicrosPerOperation\":%.2f,\"p50Micros\":%.1f,\"p99Micros\":%.1f,\"failures\":%ld,\"lost\":%.5f}\n",
           mode, connections, frame_size, took, bytes / took / 1e6, operations / took, used, bytes > 0 ? used / (bytes / 1e9) : 0,
           operations > 0 ? used / operations * 1e6 : 0, latency_count ? latencies[latency_count / 2] : 0,
           latency_count ? latencies[(size_t)(latency_count * 0.99)] : 0, failures, lost);
}

/* --- connections -------------------------------------------------------------------------------------------------------------------- */

struct link {
    int fd, state;
    /* the frame that is being read: its header as far as it has come, and how much of the payload is to come */
    uint8_t head[16];
    int head_length, opcode;
    uint64_t to_come;
    /* what is being written */
    uint8_t *out;
    size_t out_offset, out_length;
    /* the exchange that is under way */
    uint64_t got;
    double began;
    char text[8192];
    size_t text_length;
    char id[64];
};

static int epoll_fd;
static uint8_t *noise, input[1 << 19];

static struct sockaddr_in loopback(int at) {
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(at), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int open_link(int type, int flags) {
    int fd = socket(AF_INET, type | flags, 0), one = 1;
    struct sockaddr_in address = loopback(port);
    if (fd < 0)
        die("socket");
    if (type == SOCK_STREAM)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS)
        die("connect");
    return fd;
}

static unsigned long long sunk(void) {
    char text[64];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = loopback(control);
    if (connect(fd, (struct sockaddr *)&address, sizeof address))
        die("control connection");
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = 0;
    return strtoull(text, 0, 10);
}

static void watch(struct link *l, int operation, unsigned events) {
    struct epoll_event event = {.events = events, .data.ptr = l};
    epoll_ctl(epoll_fd, operation, l->fd, &event);
}

static size_t upgrade_request(char *into, size_t size) {
    return snprintf(into, size,
                    "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n",
                    path, port, header);
}

static void shake_hands(int fd) {
    char text[8192];
    size_t length = 0, request = upgrade_request(text, sizeof text);
    if (write(fd, text, request) != (ssize_t)request)
        die("handshake");
    for (;;) {
        struct pollfd readable = {fd, POLLIN, 0};
        if (poll(&readable, 1, 10000) <= 0)
            die("no answer to the handshake");
        if (read(fd, text + length, 1) <= 0 || length == sizeof text - 2)
            die("handshake broken off");
        text[++length] = 0;
        if (length >= 4 && !memcmp(text + length - 4, "\r\n\r\n", 4))
            break;
    }
    if (strncmp(text, "HTTP/1.1 101", 12)) {
        fprintf(stderr, "%.300s\n", text);
        errno = 0;
        die("no 101");
    }
}

static struct link *open_links(void) {
    struct link *links = calloc(connections, sizeof *links);
    for (int i = 0; i < connections; i++) {
        links[i].fd = open_link(SOCK_STREAM, 0);
        if (!raw)
            shake_hands(links[i].fd);
        fcntl(links[i].fd, F_SETFL, O_NONBLOCK);
    }
    return links;
}

/* --- frames (RFC 6455 section 5.2) ------------------------------------------------------------------------------------------------------ */

/* Writes a masked binary frame, or the bare bytes, and answers how long that is. */
static size_t put_frame(uint8_t *to, const uint8_t *payload, size_t length) {
    if (raw) {
        memcpy(to, payload, length);
        return length;
    }
    uint32_t key = next_random();
    size_t head = 2;
    to[0] = 0x82;
    if (length < 126) {
        to[1] = 0x80 | length;
    } else if (length < 65536) {
        to[1] = 0x80 | 126;
        to[2] = length >> 8;
        to[3] = length;
        head = 4;
    } else {
        to[1] = 0x80 | 127;
        for (int i = 0; i < 8; i++)
            to[2 + i] = (uint64_t)length >> (56 - 8 * i);
        head = 10;
    }
    memcpy(to + head, &key, 4);
    to += head + 4;
    uint64_t wide = key | ((uint64_t)key << 32);
    size_t i = 0;
    for (; i + 8 <= length; i += 8) {
        uint64_t word;
        memcpy(&word, payload + i, 8);
        word ^= wide;
        memcpy(to + i, &word, 8);
    }
    for (; i < length; i++)
        to[i] = payload[i] ^ ((uint8_t *)&key)[i & 3];
    return head + 4 + length;
}

typedef void payload_handler(struct link *, const uint8_t *, size_t);

/* Takes what has come; answers how many bytes of payload were in it, or -1 when the other side closes. Answers pings. */
static int64_t take(struct link *l, const uint8_t *bytes, size_t length, payload_handler *handle) {
    if (raw) {
        if (handle)
            handle(l, bytes, length);
        return length;
    }
    int64_t total = 0;
    for (size_t i = 0; i < length;) {
        if (l->to_come == 0) {
            for (;;) {
                int need = 2;
                if (l->head_length >= 2) {
                    int code = l->head[1] & 127;
                    need += code == 126 ? 2 : code == 127 ? 8 : 0;
                    if (l->head_length >= need)
                        break;
                }
                if (i == length)
                    return total;
                l->head[l->head_length++] = bytes[i++];
            }
            int code = l->head[1] & 127;
            l->to_come = code;
            if (code == 126) {
                l->to_come = l->head[2] << 8 | l->head[3];
            } else if (code == 127) {
                l->to_come = 0;
                for (int k = 0; k < 8; k++)
                    l->to_come = l->to_come << 8 | l->head[2 + k];
            }
            l->opcode = l->head[0] & 15;
            l->head_length = 0;
            if (l->opcode == 8)
                return -1;
            if (l->opcode == 9 && l->to_come == 0) {
                uint8_t pong[6] = {0x8a, 0x80, 0, 0, 0, 0};
                (void)!send(l->fd, pong, sizeof pong, MSG_DONTWAIT | MSG_NOSIGNAL);
            }
            continue;
        }
        size_t part = length - i < l->to_come ? length - i : l->to_come;
        if (l->opcode < 3) {
            total += part;
            if (handle)
                handle(l, bytes + i, part);
        }
        l->to_come -= part;
        i += part;
    }
    return total;
}

/* --- modes -------------------------------------------------------------------------------------------------------------------------------- */

static void run_up(void) {
    struct link *links = open_links();
    size_t frames = frame_size >= 65536 ? 2 : 131072 / frame_size;
    for (int i = 0; i < connections; i++) {
        links[i].out = malloc((frame_size + 14) * frames);
        watch(&links[i], EPOLL_CTL_ADD, EPOLLOUT | EPOLLIN);
    }
    unsigned long long before = 0;
    window_set();
    while (!window_over()) {
        if (window_opens())
            before = sunk();
        struct epoll_event events[64];
        int ready = epoll_wait(epoll_fd, events, 64, 200);
        for (int i = 0; i < ready; i++) {
            struct link *l = events[i].data.ptr;
            if (events[i].events & EPOLLIN) {
                ssize_t n = recv(l->fd, input, sizeof input, 0);
                if (n == 0 || (n > 0 && take(l, input, n, 0) < 0))
                    die("closed by the other side");
            }
            for (int round = 0; round < 4 && events[i].events & EPOLLOUT; round++) {
                if (l->out_offset == l->out_length) {
                    l->out_offset = l->out_length = 0;
                    for (size_t k = 0; k < frames; k++)
                        l->out_length += put_frame(l->out + l->out_length, noise, frame_size);
                }
                ssize_t n = send(l->fd, l->out + l->out_offset, l->out_length - l->out_offset, MSG_NOSIGNAL);
                if (n < 0 && errno == EAGAIN)
                    break;
                if (n < 0)
                    die("send");
                l->out_offset += n;
                if (l->out_offset < l->out_length)
                    break;
            }
        }
    }
    tell(sunk() - before, 0, 0, 0);
}

static void run_down(void) {
    struct link *links = open_links();
    for (int i = 0; i < connections; i++)
        watch(&links[i], EPOLL_CTL_ADD, EPOLLIN);
    double total = 0;
    window_set();
    while (!window_over()) {
        if (window_opens())
            total = 0;
        struct epoll_event events[64];
        int ready = epoll_wait(epoll_fd, events, 64, 200);
        for (int i = 0; i < ready; i++) {
            struct link *l = events[i].data.ptr;
            ssize_t n = recv(l->fd, input, sizeof input, 0);
            int64_t payload = n > 0 ? take(l, input, n, 0) : 0;
            if (n == 0 || payload < 0)
                die("closed by the other side");
            total += payload;
        }
    }
    tell(total, 0, 0, 0);
}

static void send_ping(struct link *l, uint8_t *into) {
    size_t length = put_frame(into, noise, frame_size);
    l->got = 0;
    l->began = now();
    if (send(l->fd, into, length, MSG_NOSIGNAL) != (ssize_t)length)
        die("send");
}

static void run_ping(void) {
    struct link *links = open_links();
    uint8_t *frame = malloc(frame_size + 14);
    long count = 0;
    for (int i = 0; i < connections; i++) {
        watch(&links[i], EPOLL_CTL_ADD, EPOLLIN);
        send_ping(&links[i], frame);
    }
    window_set();
    while (!window_over()) {
        if (window_opens())
            count = 0;
        struct epoll_event events[256];
        /* one connection: waiting in recv saves the round through epoll, which is not what is measured */
        int ready = connections == 1 ? 1 : epoll_wait(epoll_fd, events, 256, 200);
        if (connections == 1) {
            struct pollfd readable = {links[0].fd, POLLIN, 0};
            if (poll(&readable, 1, 3000) <= 0)
                die("no echo");
            events[0].data.ptr = &links[0];
        }
        for (int i = 0; i < ready; i++) {
            struct link *l = events[i].data.ptr;
            ssize_t n = recv(l->fd, input, sizeof input, 0);
            int64_t payload = n > 0 ? take(l, input, n, 0) : 0;
            if (n == 0 || payload < 0)
                die("closed by the other side");
            l->got += payload;
            if (l->got >= (uint64_t)frame_size) {
                add_latency(l->began);
                count++;
                send_ping(l, frame);
            }
        }
    }
    tell((double)count * frame_size, count, 0, 0);
}

static void begin_visit(struct link *l) {
    memset(l, 0, sizeof *l);
    l->began = now();
    l->fd = open_link(SOCK_STREAM, SOCK_NONBLOCK);
    watch(l, EPOLL_CTL_ADD, EPOLLOUT);
}

/* One step of connect, handshake, echo; 1 when the echo is back, -1 when something failed. */
static int visit(struct link *l, const char *request, size_t request_length) {
    enum { CONNECTING, SHAKING, ECHOING };
    uint8_t frame[256];
    int greet = 0;
    if (l->state == CONNECTING) {
        watch(l, EPOLL_CTL_MOD, EPOLLIN);
        l->state = raw ? ECHOING : SHAKING;
        if (!raw)
            return send(l->fd, request, request_length, MSG_NOSIGNAL) == (ssize_t)request_length ? 0 : -1;
        greet = 1;
    } else if (l->state == SHAKING) {
        ssize_t n = recv(l->fd, l->text + l->text_length, sizeof l->text - 1 - l->text_length, 0);
        if (n <= 0)
            return n < 0 && errno == EAGAIN ? 0 : -1;
        l->text_length += n;
        l->text[l->text_length] = 0;
        if (!strstr(l->text, "\r\n\r\n"))
            return 0;
        if (strncmp(l->text, "HTTP/1.1 101", 12))
            return -1;
        l->state = ECHOING;
        greet = 1;
    }
    if (greet) {
        size_t length = put_frame(frame, noise, 64);
        return send(l->fd, frame, length, MSG_NOSIGNAL) == (ssize_t)length ? 0 : -1;
    }
    ssize_t n = recv(l->fd, input, sizeof input, 0);
    if (n <= 0)
        return n < 0 && errno == EAGAIN ? 0 : -1;
    int64_t payload = take(l, input, n, 0);
    l->got += payload;
    return payload < 0 ? -1 : l->got >= 64;
}

static void run_rate(void) {
    struct link *links = calloc(connections, sizeof *links);
    char request[4096];
    size_t length = upgrade_request(request, sizeof request);
    long count = 0, failures = 0;
    for (int i = 0; i < connections; i++)
        begin_visit(&links[i]);
    window_set();
    while (!window_over()) {
        if (window_opens())
            count = 0;
        struct epoll_event events[256];
        int ready = epoll_wait(epoll_fd, events, 256, 200);
        for (int i = 0; i < ready; i++) {
            struct link *l = events[i].data.ptr;
            int done = visit(l, request, length);
            if (!done)
                continue;
            if (done > 0) {
                add_latency(l->began);
                count++;
            } else if (++failures > 1000) {
                die("too many failures");
            }
            close(l->fd);
            begin_visit(l);
        }
    }
    tell(0, count, failures, 0);
}

static void run_idle(void) {
    double began = now();
    struct link *links = open_links();
    double took = now() - began;
    uint8_t frame[256];
    for (int i = 0; i < connections; i++) {
        size_t length = put_frame(frame, noise, 64);
        if (send(links[i].fd, frame, length, MSG_NOSIGNAL) < 0)
            die("send");
        for (int64_t got = 0; got < 64;) {
            struct pollfd readable = {links[i].fd, POLLIN, 0};
            if (poll(&readable, 1, 5000) <= 0)
                die("no echo");
            ssize_t n = recv(links[i].fd, input, sizeof input, 0);
            int64_t payload = n > 0 ? take(&links[i], input, n, 0) : -1;
            if (payload < 0)
                die("closed by the other side");
            got += payload;
        }
    }
    printf("READY %d %.2f\n", connections, took);
    fflush(stdout);
    struct pollfd told = {0, POLLIN, 0};
    poll(&told, 1, (int)(seconds * 1000));
}

static uint64_t verified, wrong;

static uint8_t pattern(uint64_t i) { return (i * 2654435761ull) >> 11 ^ (i >> 16); }

static void compare(struct link *l, const uint8_t *bytes, size_t length) {
    (void)l;
    for (size_t i = 0; i < length; i++)
        wrong += bytes[i] != pattern(verified++);
}

static void run_verify(void) {
    static const int sizes[] = {1,    3,    7,    64,    125,   126,   127,   1000,  1024,
                                4093, 8192, 16384, 32768, 65535, 65536, 65537, 131072, 200001};
    struct link *l = open_links();
    uint64_t total = 64 << 20, sent = 0;
    uint8_t *out = malloc(300000), *plain = malloc(300000);
    size_t offset = 0, length = 0;
    double give_up = now() + 120;
    while (verified < total && now() < give_up) {
        struct pollfd events = {l->fd, POLLIN | (sent < total || offset < length ? POLLOUT : 0), 0};
        poll(&events, 1, 1000);
        if (events.revents & POLLIN) {
            ssize_t n = recv(l->fd, input, sizeof input, 0);
            if (n == 0 || (n > 0 && take(l, input, n, compare) < 0))
                break;
        }
        if (events.revents & POLLOUT) {
            if (offset == length && sent < total) {
                size_t size = sizes[next_random() % (sizeof sizes / sizeof *sizes)];
                size = size > total - sent ? total - sent : size;
                for (size_t i = 0; i < size; i++)
                    plain[i] = pattern(sent + i);
                length = put_frame(out, plain, size);
                offset = 0;
                sent += size;
            }
            if (offset < length) {
                ssize_t n = send(l->fd, out + offset, length - offset, MSG_NOSIGNAL);
                if (n < 0 && errno != EAGAIN)
                    die("send");
                offset += n > 0 ? n : 0;
            }
        }
    }
    int good = verified == total && !wrong;
    printf("{\"mode\":\"verify\",\"ok\":%s,\"bytes\":%llu,\"wrong\":%llu}\n", good ? "true" : "false",
           (unsigned long long)verified, (unsigned long long)wrong);
    exit(good ? 0 : 4);
}

/* Datagrams: 32 in flight on each connection; when nothing is back for a second, those out are lost and 32 more are sent. */
static void run_udp(void) {
    enum { IN_FLIGHT = 32 };
    struct link *links = raw ? calloc(connections, sizeof *links) : open_links();
    long *out = calloc(connections, sizeof *out);
    double *heard = calloc(connections, sizeof *heard), count = 0, sent = 0, lost = 0;
    uint8_t *frame = malloc(frame_size + 14);
    for (int i = 0; i < connections; i++) {
        if (raw)
            links[i].fd = open_link(SOCK_DGRAM, SOCK_NONBLOCK);
        watch(&links[i], EPOLL_CTL_ADD, EPOLLIN);
    }
    window_set();
    while (!window_over()) {
        if (window_opens())
            count = sent = lost = 0;
        for (int i = 0; i < connections; i++) {
            if (out[i] > 0 && now() - heard[i] > 1) {
                lost += out[i];
                out[i] = 0;
            }
            while (out[i] < IN_FLIGHT) {
                size_t length = put_frame(frame, noise, frame_size);
                if (send(links[i].fd, frame, length, MSG_NOSIGNAL) != (ssize_t)length)
                    break;
                heard[i] = out[i]++ ? heard[i] : now();
                sent++;
            }
        }
        struct epoll_event events[64];
        int ready = epoll_wait(epoll_fd, events, 64, 50);
        for (int i = 0; i < ready; i++) {
            struct link *l = events[i].data.ptr;
            ssize_t n;
            while ((n = recv(l->fd, input, raw ? sizeof input : 65536, 0)) > 0) {
                int64_t payload = take(l, input, n, 0);
                if (payload < 0)
                    die("closed by the other side");
                l->got += payload;
                long whole = l->got / frame_size;
                l->got %= frame_size;
                count += whole;
                out[l - links] -= whole;
                heard[l - links] = now();
            }
        }
    }
    tell(count * frame_size, count, 0, sent > 0 ? lost / sent : 0);
}

/* --- REST --------------------------------------------------------------------------------------------------------------------------------------- */

static size_t put_call(struct link *l, const char *method, const char *target, const char *type, const void *body, size_t length) {
    char *to = (char *)l->out;
    size_t head = snprintf(to, 4096, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s", method, target, port, header);
    if (type)
        head += snprintf(to + head, 4096 - head, "Content-Type: %s\r\nContent-Length: %zu\r\n", type, length);
    head += snprintf(to + head, 4096 - head, "\r\n");
    memcpy(to + head, body, length);
    return head + length;
}

static void call(struct link *l) {
    char target[256];
    size_t length;
    if (!strcmp(kind, "get")) {
        length = put_call(l, "GET", path, 0, "", 0);
    } else if (!strcmp(kind, "socket")) {
        snprintf(target, sizeof target, "/api/v1/sockets%s%s", l->state ? "/" : "", l->state ? l->id : "");
        length = l->state ? put_call(l, "DELETE", target, 0, "", 0)
                          : put_call(l, "POST", target, "application/json", "{\"type\":\"SOCK_STREAM\"}", 22);
    } else if (!*l->id) {
        char body[64];
        length = snprintf(body, sizeof body, "{\"host\":\"127.0.0.1\",\"port\":%d}", control + 3);
        length = put_call(l, "POST", "/api/v1/connections", "application/json", body, length);
    } else {
        snprintf(target, sizeof target, "/api/v1/sockets/%s/%s", l->id, l->state ? "recv?bufsize=64&flags=MSG_WAITALL" : "send");
        length = l->state ? put_call(l, "POST", target, "application/octet-stream", "", 0)
                          : put_call(l, "POST", target, "application/octet-stream", noise, 64);
    }
    l->began = now();
    l->text_length = 0;
    if (send(l->fd, l->out, length, MSG_NOSIGNAL) != (ssize_t)length)
        die("send");
}

/* Whether the answer has come whole. Bodies end by their length or as chunks do. */
static int is_whole(struct link *l) {
    char *body = strstr(l->text, "\r\n\r\n");
    if (!body)
        return 0;
    body += 4;
    char *length = strcasestr(l->text, "\r\ncontent-length:");
    if (length && length < body)
        return l->text_length - (body - l->text) >= (size_t)atol(length + 17);
    char *chunked = strcasestr(l->text, "\r\ntransfer-encoding: chunked");
    if (chunked && chunked < body)
        return l->text_length >= 5 && !memcmp(l->text + l->text_length - 5, "0\r\n\r\n", 5);
    return 1;
}

static void run_rest(void) {
    struct link *links = calloc(connections, sizeof *links);
    long count = 0, failures = 0;
    for (int i = 0; i < connections; i++) {
        links[i].fd = open_link(SOCK_STREAM, 0);
        links[i].out = malloc(8192);
        watch(&links[i], EPOLL_CTL_ADD, EPOLLIN);
        call(&links[i]);
    }
    window_set();
    while (!window_over()) {
        if (window_opens())
            count = 0;
        struct epoll_event events[64];
        int ready = epoll_wait(epoll_fd, events, 64, 200);
        for (int i = 0; i < ready; i++) {
            struct link *l = events[i].data.ptr;
            ssize_t n = recv(l->fd, l->text + l->text_length, sizeof l->text - 1 - l->text_length, MSG_DONTWAIT);
            if (n <= 0)
                die("closed by the other side");
            l->text_length += n;
            l->text[l->text_length] = 0;
            if (!is_whole(l))
                continue;
            if (strncmp(l->text, "HTTP/1.1 20", 11) && failures++ == 0)
                fprintf(stderr, "%.600s\n", l->text);
            add_latency(l->began);
            count++;
            char *id = strstr(l->text, "\"id\":\"");
            if (id)
                snprintf(l->id, sizeof l->id, "%.*s", (int)strcspn(id + 6, "\""), id + 6);
            /* the connection that "data" begins with is no half of a pair */
            l->state = !strcmp(kind, "data") && id ? 0 : !l->state;
            call(l);
        }
    }
    tell(0, count, failures, 0);
    for (int i = 0; i < connections; i++)
        close(links[i].fd);
}

int main(int count, char **arguments) {
    static const struct {
        const char *name;
        void (*run)(void);
    } modes[] = {{"up", run_up},     {"down", run_down},     {"ping", run_ping}, {"rate", run_rate},
                 {"idle", run_idle}, {"verify", run_verify}, {"udp", run_udp},   {"rest", run_rest}};
    mode = count > 1 ? arguments[1] : "";
    char *extra = calloc(1, 1);
    optind = 2;
    for (int option; (option = getopt(count, arguments, "p:u:c:f:t:w:rC:P:H:k:")) > 0;) {
        switch (option) {
        case 'p': port = atoi(optarg); break;
        case 'u': path = optarg; break;
        case 'c': connections = atoi(optarg); break;
        case 'f': frame_size = atoi(optarg); break;
        case 't': seconds = atof(optarg); break;
        case 'w': ramp = atof(optarg); break;
        case 'r': raw = 1; break;
        case 'C': control = atoi(optarg); break;
        case 'P': pids = optarg; break;
        case 'k': kind = optarg; break;
        case 'H':
            extra = realloc(extra, strlen(extra) + strlen(optarg) + 3);
            strcat(strcat(extra, optarg), "\r\n");
            break;
        default: return 2;
        }
    }
    header = extra;
    signal(SIGPIPE, SIG_IGN);
    struct timespec seed;
    clock_gettime(CLOCK_REALTIME, &seed);
    random_state ^= (uint64_t)seed.tv_nsec << 20 ^ getpid();
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    size_t room = frame_size < 256 ? 256 : frame_size;
    noise = malloc(room);
    for (size_t i = 0; i < room; i++)
        noise[i] = next_random();
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        if (!strcmp(mode, modes[i].name)) {
            modes[i].run();
            return 0;
        }
    }
    fprintf(stderr, "load up|down|ping|rate|idle|verify|udp|rest -p PORT [-u PATH] ...: see the head of load.c\n");
    return 2;
}
