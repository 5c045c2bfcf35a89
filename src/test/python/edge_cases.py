#!/usr/bin/env python3
"""Does the same with sockets of this machine's kernel and with the service's, and compares what comes back.

    edge_cases.py --url http://127.0.0.1:8080 --token spx_… [--only GLOB …] [--report FILE]

The service has to run on this machine, or on one with the same kernel and the same names. A scenario is a function that gets the module
socket and returns what each of its steps gave: a value, or the exception with its errno. No expectation is written down here: the
kernel's answer is the expectation. Exit status as run_test_socket.py.
"""

import argparse
import fnmatch
import hashlib
import json
import os
import select
import signal
import struct
import subprocess
import sys
import threading
import time
import warnings

SCENARIO_SECONDS = 30


# --- what scenarios are written with -------------------------------------------------------------------------------------------------


class Steps:
    """The module socket, and the outcomes so far. Sockets made through it are closed at the end."""

    def __init__(self, module):
        self.module = module
        self.outcomes = []
        self._open = []

    def __getattr__(self, name):
        return getattr(self.module, name)

    def keep(self, sock):
        self._open.append(sock)
        return sock

    def close(self):
        for sock in self._open:
            try:
                sock.close()
            except OSError:
                pass

    def tcp(self, family=None):
        return self.keep(self.module.socket(family or self.AF_INET, self.SOCK_STREAM))

    def udp(self, family=None, address=("127.0.0.1", 0)):
        sock = self.keep(self.module.socket(family or self.AF_INET, self.SOCK_DGRAM))
        if address is not None:
            sock.bind(address)
        return sock

    def listener(self, address=("127.0.0.1", 0), family=None):
        sock = self.tcp(family)
        sock.bind(address)
        sock.listen()
        return sock

    def connection(self):
        """Two connected streams: who connected, who was accepted."""
        listener = self.listener()
        client = self.tcp()
        client.connect(listener.getsockname())
        server = self.keep(listener.accept()[0])
        for sock in (client, server):
            sock.settimeout(5)
        return client, server

    def unused(self):
        """A loopback port at which nobody listens."""
        with self.module.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            return sock.getsockname()[1]

    def step(self, name, function, *arguments, **keywords):
        try:
            outcome = function(*arguments, **keywords)
        except Exception as failed:
            if type(failed).__name__ == "ContractViolation":
                raise
            outcome = [type(failed).__name__, getattr(failed, "errno", None)]
            if type(failed).__name__ == "gaierror":
                outcome.append("gai")
        self.outcomes.append([name, plain(outcome)])
        return outcome


def plain(value):
    """Comparable and JSON: bytes as text, long ones by their hash, handles and descriptors as what they are."""
    if isinstance(value, (bytes, bytearray)):
        return value.hex() if len(value) <= 64 else f"{len(value)} bytes {hashlib.sha256(value).hexdigest()[:16]}"
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    return int(value) if isinstance(value, int) else type(value).__name__


def shape(address):
    """An address without its port, which differs from run to run."""
    if isinstance(address, tuple):
        return [address[0], address[1] != 0, *address[2:]]
    return address


def events(poller, timeout=1000):
    return [revents for _, revents in poller.poll(timeout)]


def watch(sock, mask):
    poller = select.poll()
    poller.register(sock, mask)
    return poller


# --- scenarios -----------------------------------------------------------------------------------------------------------------------


def creation(net):
    for family, kind, proto in (
        (net.AF_INET, net.SOCK_STREAM, 0), (net.AF_INET, net.SOCK_STREAM, net.IPPROTO_TCP), (net.AF_INET, net.SOCK_DGRAM, net.IPPROTO_UDP),
        (net.AF_INET6, net.SOCK_STREAM, 0), (net.AF_INET6, net.SOCK_DGRAM, 0),
        (net.AF_INET, net.SOCK_STREAM, net.IPPROTO_UDP), (net.AF_INET, net.SOCK_DGRAM, net.IPPROTO_TCP), (net.AF_INET, net.SOCK_STREAM, 999),
        (net.AF_INET, net.SOCK_STREAM, -7), (12345, net.SOCK_STREAM, 0),
        (net.AF_INET, net.SOCK_STREAM | net.SOCK_NONBLOCK | net.SOCK_CLOEXEC, 0),
    ):  # fmt: skip
        made = net.step(f"socket {family:d} {kind:d} {proto}", net.module.socket, family, kind, proto)
        if not isinstance(made, list):
            net.keep(made)
            net.step("option SO_PROTOCOL", made.getsockopt, net.SOL_SOCKET, 38)


def unconnected_stream(net):
    sock = net.tcp()
    net.step("sockname", lambda: sock.getsockname())
    net.step("peername", sock.getpeername)
    net.step("recv", sock.recv, 10)
    net.step("send", sock.send, b"x")
    net.step("sendto", sock.sendto, b"x", ("127.0.0.1", net.unused()))
    net.step("shutdown", sock.shutdown, net.SHUT_RDWR)
    net.step("accept", sock.accept)
    net.step("poll", events, watch(sock, select.POLLIN | select.POLLOUT), 0)
    net.step("shutdown how", sock.shutdown, 5)


def bind_rules(net):
    sock = net.tcp()
    net.step("bind", sock.bind, ("127.0.0.1", 0))
    net.step("bind again", sock.bind, ("127.0.0.1", 0))
    taken = sock.getsockname()
    other = net.tcp()
    net.step("bind taken", other.bind, taken)
    net.step("bind elsewhere then", other.bind, ("127.0.0.2", taken[1]))
    net.step("sockname", lambda: other.getsockname()[0])
    net.step("bind wildcard beside", net.tcp().bind, ("", taken[1]))
    net.step("bind not local", net.tcp().bind, ("203.0.113.1", 0))
    net.step("bind IPv6 to IPv4 socket", net.tcp().bind, ("::1", 0))
    net.step("bind IPv4 to IPv6 socket", net.tcp(net.AF_INET6).bind, ("127.0.0.1", 0))
    net.step("bind name", lambda: (lambda s: (s.bind(("localhost", 0)), s.getsockname()[0])[1])(net.tcp()))
    wild = net.tcp(net.AF_INET6)
    net.step("bind ''", wild.bind, ("", 0))
    net.step("sockname of ''", lambda: shape(wild.getsockname()))
    net.step("listen unbound", (auto := net.tcp()).listen)
    net.step("sockname of it", lambda: shape(auto.getsockname()))
    udp = net.udp()
    net.step("udp bind taken", net.udp(address=None).bind, udp.getsockname())


def listening(net):
    sock = net.listener()
    net.step("SO_ACCEPTCONN", sock.getsockopt, net.SOL_SOCKET, net.SO_ACCEPTCONN)
    net.step("listen again", sock.listen, 1)
    net.step("listen negative", sock.listen, -5)
    net.step("listen huge", sock.listen, 2**31 - 1)
    net.step("recv", sock.recv, 1)
    net.step("send", sock.send, b"x")
    net.step("connect", sock.connect, ("127.0.0.1", net.unused()))
    net.step("peername", sock.getpeername)
    net.step("poll idle", events, watch(sock, select.POLLIN | select.POLLOUT), 0)
    client = net.tcp()
    client.connect(sock.getsockname())
    net.step("poll", events, watch(sock, select.POLLIN | select.POLLOUT))
    net.step("listen connected", client.listen)
    net.step("accept connected", client.accept)
    conn, address = sock.accept()
    net.keep(conn)
    net.step("accepted address", lambda: address == client.getsockname())
    net.step("shutdown", sock.shutdown, net.SHUT_RD)
    sock.settimeout(1)
    net.step("accept after shutdown", sock.accept)


def accept_of_gone_client(net):
    sock = net.listener()
    client = net.tcp()
    client.connect(sock.getsockname())
    client.sendall(b"last words")
    client.close()
    conn = net.keep(sock.accept()[0])
    net.step("recv", conn.recv, 100)
    net.step("eof", conn.recv, 100)


def refused_then_connected(net):
    sock = net.tcp()
    net.step("refused", sock.connect, ("127.0.0.1", net.unused()))
    net.step("refused again", sock.connect, ("127.0.0.1", net.unused()))
    net.step("poll", events, watch(sock, select.POLLIN | select.POLLOUT), 0)
    net.step("recv", sock.recv, 1)
    listener = net.listener()
    net.step("connected", sock.connect, listener.getsockname())
    net.step("connect once more", sock.connect, listener.getsockname())
    net.step("bind", sock.bind, ("127.0.0.1", 0))
    net.step("peername", lambda: sock.getpeername() == listener.getsockname())


def connect_targets(net):
    listener = net.listener(("", 0))
    port = listener.getsockname()[1]
    for host in ("127.0.0.1", "127.0.0.3", "localhost", "127.1", "0x7f000001", "2130706433", "0177.0.0.1"):
        sock = net.tcp()
        net.step(f"connect {host}", sock.connect, (host, port))
        net.step("peer", lambda: shape(sock.getpeername()))
        net.step("local", lambda: shape(sock.getsockname()))
    net.step("IPv6 on AF_INET", net.tcp().connect, ("::1", port))
    net.step("IPv4 on AF_INET6", net.tcp(net.AF_INET6).connect, ("127.0.0.1", port))
    net.step("no such name", net.tcp().connect, ("no-such-name.invalid", port))
    net.step("port 0", net.tcp().connect, ("127.0.0.1", 0))


def nonblocking_connect(net):
    listener = net.listener()
    sock = net.tcp()
    sock.setblocking(False)
    net.step("connect", sock.connect_ex, listener.getsockname())
    net.step("poll", events, watch(sock, select.POLLOUT))
    net.step("SO_ERROR", sock.getsockopt, net.SOL_SOCKET, net.SO_ERROR)
    net.step("second", sock.connect_ex, listener.getsockname())
    net.step("third", sock.connect_ex, listener.getsockname())
    refused = net.tcp()
    refused.setblocking(False)
    target = ("127.0.0.1", net.unused())
    net.step("connect", refused.connect_ex, target)
    net.step("poll", events, watch(refused, select.POLLOUT))
    net.step("outcome", refused.connect_ex, target)
    asked = net.tcp()
    asked.setblocking(False)
    net.step("connect", asked.connect_ex, target)
    net.step("poll", events, watch(asked, select.POLLOUT))
    net.step("SO_ERROR", asked.getsockopt, net.SOL_SOCKET, net.SO_ERROR)
    net.step("SO_ERROR again", asked.getsockopt, net.SOL_SOCKET, net.SO_ERROR)


def self_connect(net):
    sock = net.tcp()
    sock.bind(("127.0.0.1", 0))
    net.step("connect", sock.connect, sock.getsockname())
    net.step("send", sock.send, b"to myself")
    net.step("recv", sock.recv, 100)


def half_close(net):
    client, server = net.connection()
    net.step("shutdown", client.shutdown, net.SHUT_WR)
    net.step("again", client.shutdown, net.SHUT_WR)
    net.step("eof", server.recv, 10)
    net.step("eof again", server.recv, 10)
    net.step("poll", events, watch(server, select.POLLIN | select.POLLOUT | select.POLLRDHUP))
    net.step("send after", client.send, b"x")
    net.step("other way", server.send, b"still here")
    net.step("recv", client.recv, 100)
    server.close()
    net.step("eof back", client.recv, 10)
    net.step("poll", events, watch(client, select.POLLIN | select.POLLOUT | select.POLLRDHUP))
    net.step("peername", client.getpeername)


def shutdown_reading(net):
    client, server = net.connection()
    server.send(b"early")
    events(watch(client, select.POLLIN))
    net.step("shutdown", client.shutdown, net.SHUT_RD)
    net.step("recv", client.recv, 3)
    net.step("recv", client.recv, 10)
    net.step("recv", client.recv, 10)
    net.step("send", client.send, b"x")


def reset(net):
    client, server = net.connection()
    server.setsockopt(net.SOL_SOCKET, net.SO_LINGER, struct.pack("ii", 1, 0))
    server.close()
    net.step("poll", events, watch(client, select.POLLIN | select.POLLOUT))
    net.step("recv", client.recv, 1)
    net.step("recv again", client.recv, 1)
    net.step("send", client.send, b"x")
    net.step("peername", client.getpeername)
    net.step("shutdown", client.shutdown, net.SHUT_RDWR)


def reset_by_unread_data(net):
    client, server = net.connection()
    client.sendall(b"nobody reads this")
    events(watch(server, select.POLLIN))
    server.close()
    net.step("poll", events, watch(client, select.POLLIN))
    net.step("SO_ERROR", client.getsockopt, net.SOL_SOCKET, net.SO_ERROR)
    net.step("recv", client.recv, 1)
    net.step("send", client.send, b"x")


def write_to_closed(net):
    client, server = net.connection()
    server.close()
    events(watch(client, select.POLLIN))
    net.step("first", client.send, b"x")
    events(watch(client, select.POLLHUP), 500)
    net.step("second", client.send, b"x")
    net.step("third", client.send, b"x")
    net.step("sendall", client.sendall, b"x")


def stream_reading(net):
    client, server = net.connection()
    net.step("send nothing", client.send, b"")
    net.step("sendall nothing", client.sendall, b"")
    net.step("send", client.send, b"0123456789")
    net.step("peek", server.recv, 4, net.MSG_PEEK)
    net.step("peek", server.recv, 40, net.MSG_PEEK)
    net.step("recv", server.recv, 4)
    net.step("recvfrom", server.recvfrom, 2)
    net.step("recvmsg", server.recvmsg, 2)
    net.step("discard", lambda: len(server.recv(1, net.MSG_TRUNC)))
    net.step("rest", server.recv, 10_000_000)
    net.step("none", server.recv, 1, net.MSG_DONTWAIT | net.MSG_PEEK)
    server.settimeout(0.05)
    net.step("timeout", server.recv, 1)
    server.settimeout(0)
    net.step("non-blocking", server.recv, 1)
    server.settimeout(None)
    net.step("MSG_DONTWAIT", server.recv, 1, net.MSG_DONTWAIT)


def wait_all(net):
    client, server = net.connection()
    server.settimeout(None)

    def slowly():
        for part in (b"abc", b"def", b"gh"):
            client.sendall(part)
            time.sleep(0.15)
        client.shutdown(net.SHUT_WR)

    sender = threading.Thread(target=slowly)
    sender.start()
    net.step("six", server.recv, 6, net.MSG_WAITALL)
    net.step("to the end", server.recv, 6, net.MSG_WAITALL)
    net.step("after the end", server.recv, 6, net.MSG_WAITALL)
    sender.join()


def wait_all_without_waiting(net):
    client, server = net.connection()
    client.sendall(b"abc")
    events(watch(server, select.POLLIN))
    server.setblocking(False)
    net.step("non-blocking", server.recv, 6, net.MSG_WAITALL)
    net.step("non-blocking", server.recv, 6, net.MSG_WAITALL)
    server.setblocking(True)
    client.sendall(b"abc")
    events(watch(server, select.POLLIN))
    net.step("MSG_DONTWAIT", server.recv, 6, net.MSG_WAITALL | net.MSG_DONTWAIT)


def wait_all_peek(net):
    client, server = net.connection()
    server.settimeout(None)
    client.sendall(b"abcdef")
    events(watch(server, select.POLLIN))
    net.step("peek", server.recv, 6, net.MSG_WAITALL | net.MSG_PEEK)
    net.step("recv", server.recv, 6, net.MSG_WAITALL)


def send_flags(net):
    client, server = net.connection()
    net.step("more", client.send, b"he", net.MSG_MORE)
    net.step("rest", client.send, b"llo", net.MSG_NOSIGNAL)
    net.step("recv", server.recv, 5, net.MSG_WAITALL)
    net.step("flags", client.send, b"x", net.MSG_EOR | net.MSG_DONTROUTE)
    net.step("recv", server.recv, 5)
    net.step("to an address", client.sendto, b"y", ("127.0.0.1", 9))
    net.step("recv", server.recv, 5)


def urgent(net):
    client, server = net.connection()
    server.settimeout(None)
    net.step("none", server.recv, 1, net.MSG_OOB)
    net.step("send", client.send, b"ab!", net.MSG_OOB)
    client.sendall(b"cd")
    net.step("poll", events, watch(server, select.POLLPRI))
    net.step("select", lambda: [len(part) for part in select.select([server], [], [server], 1)])
    net.step("urgent", server.recv, 1, net.MSG_OOB)
    net.step("again", server.recv, 1, net.MSG_OOB)
    net.step("before", server.recv, 10)
    net.step("after", server.recv, 10)
    server.setsockopt(net.SOL_SOCKET, net.SO_OOBINLINE, 1)
    client.send(b"x!", net.MSG_OOB)
    time.sleep(0.05)
    net.step("inline", server.recv, 1)
    net.step("inline", server.recv, 1)
    net.step("urgent inline", server.recv, 1, net.MSG_OOB)


def datagrams(net):
    a, b = net.udp(), net.udp()
    b.settimeout(2)
    to = b.getsockname()
    net.step("no address", a.send, b"x")
    net.step("peername", a.getpeername)
    for data in (b"one", b"", b"three", b"x" * 1472, b"x" * 65507):
        net.step("sendto", a.sendto, data, to)
        net.step("recvmsg", lambda: (lambda r: (r[0], r[2], r[3] == a.getsockname()))(b.recvmsg(70000)))
    net.step("too long", a.sendto, b"x" * 65508, to)
    net.step("nothing more", b.recv, 1, net.MSG_DONTWAIT)
    net.step("port 0", a.sendto, b"x", ("127.0.0.1", 0))
    net.step("broadcast", a.sendto, b"x", ("127.255.255.255", to[1]))
    net.step("listen", a.listen)
    net.step("accept", a.accept)
    net.step("shutdown", a.shutdown, net.SHUT_RDWR)


def datagram_truncation(net):
    a, b = net.udp(), net.udp()
    b.settimeout(2)
    for size, flags in ((10, 0), (4, 0), (0, 0), (4, net.MSG_TRUNC), (4, net.MSG_PEEK), (4, net.MSG_PEEK | net.MSG_TRUNC)):
        a.sendto(b"0123456789", b.getsockname())
        net.step(f"recvmsg {size} {int(flags)}", lambda: (lambda r: (r[0], r[2]))(b.recvmsg(size, 0, flags)))
    net.step("peeked", b.recv, 100)
    net.step("second peeked", b.recv, 100)
    net.step("none", b.recv, 100, net.MSG_DONTWAIT)
    a.sendto(b"0123456789", b.getsockname())
    net.step("recv into nothing", lambda: b.recvfrom(0)[0])
    net.step("gone", b.recv, 100, net.MSG_DONTWAIT)
    for data in (b"ab", b"cdef"):
        a.sendto(data, b.getsockname())
    b.settimeout(None)
    net.step("wait all is one datagram", b.recv, 6, net.MSG_WAITALL)


def connected_datagrams(net):
    a, b, c = net.udp(), net.udp(), net.udp()
    for sock in (a, b, c):
        sock.settimeout(2)
    c.sendto(b"before", a.getsockname())
    net.step("connect", a.connect, b.getsockname())
    net.step("before", lambda: a.recvfrom(100)[0])
    c.sendto(b"stranger", a.getsockname())
    b.sendto(b"friend", a.getsockname())
    net.step("only the peer's", lambda: a.recvfrom(100)[0])
    net.step("send", a.send, b"to the peer")
    net.step("recv", b.recv, 100)
    net.step("sendto another", a.sendto, b"to another", c.getsockname())
    net.step("recv", c.recv, 100)
    net.step("connect anew", a.connect, c.getsockname())
    net.step("peername", lambda: a.getpeername() == c.getsockname())
    net.step("send", a.send, b"new peer")
    net.step("recv", c.recv, 100)
    net.step("shutdown", a.shutdown, net.SHUT_WR)
    net.step("send", a.send, b"x")


def refused_datagrams(net):
    sock = net.udp()
    sock.settimeout(2)
    sock.connect(("127.0.0.1", net.unused()))
    net.step("send", sock.send, b"x")
    net.step("poll", events, watch(sock, select.POLLIN))
    net.step("recv", sock.recv, 1)
    net.step("send", sock.send, b"x")
    time.sleep(0.05)
    net.step("SO_ERROR", sock.getsockopt, net.SOL_SOCKET, net.SO_ERROR)
    net.step("send", sock.send, b"x")
    time.sleep(0.05)
    net.step("send refused", sock.send, b"x")
    net.step("send", sock.send, b"x")


def ipv6(net):
    listener = net.listener(("::1", 0), net.AF_INET6)
    client = net.tcp(net.AF_INET6)
    net.step("connect", client.connect, listener.getsockname()[:2])
    net.step("names", lambda: (shape(client.getsockname()), shape(client.getpeername())))
    net.step("accept", lambda: (lambda r: (net.keep(r[0]), shape(r[1]))[1])(listener.accept()))
    dual = net.tcp(net.AF_INET6)
    net.step("V6ONLY", dual.setsockopt, net.IPPROTO_IPV6, net.IPV6_V6ONLY, 0)
    dual.bind(("::", 0))
    net.step("V6ONLY when bound", dual.setsockopt, net.IPPROTO_IPV6, net.IPV6_V6ONLY, 1)
    dual.listen()
    port = dual.getsockname()[1]
    four = net.tcp()
    net.step("connect IPv4", four.connect, ("127.0.0.1", port))
    net.step("accept mapped", lambda: (lambda r: (net.keep(r[0]), shape(r[1]), shape(r[0].getsockname()))[1:])(dual.accept()))
    mapped = net.tcp(net.AF_INET6)
    net.step("connect mapped", mapped.connect, ("::ffff:127.0.0.1", port))
    net.step("names", lambda: (shape(mapped.getsockname()), shape(mapped.getpeername())))
    only = net.tcp(net.AF_INET6)
    only.setsockopt(net.IPPROTO_IPV6, net.IPV6_V6ONLY, 1)
    only.bind(("::", 0))
    only.listen()
    net.step("IPv4 refused", net.tcp().connect, ("127.0.0.1", only.getsockname()[1]))
    net.step("wildcards side by side", net.tcp().bind, ("0.0.0.0", only.getsockname()[1]))
    a, b = net.udp(net.AF_INET6, ("::1", 0)), net.udp(net.AF_INET6, ("::1", 0))
    b.settimeout(2)
    net.step("sendto", a.sendto, b"six", (*b.getsockname()[:2], 0, 0))
    net.step("recvfrom", lambda: (lambda r: (r[0], r[1] == a.getsockname(), len(r[1])))(b.recvfrom(10)))
    both = net.udp(net.AF_INET6, ("::", 0))
    both.settimeout(2)
    four = net.udp()
    net.step("sendto mapped", four.sendto, b"four", ("127.0.0.1", both.getsockname()[1]))
    net.step("recvfrom mapped", lambda: (lambda r: (r[0], shape(r[1])))(both.recvfrom(10)))
    net.step("answer", both.sendto, b"back", ("::ffff:127.0.0.1", four.getsockname()[1]))
    net.step("V6ONLY of AF_INET", four.getsockopt, net.IPPROTO_IPV6, net.IPV6_V6ONLY)


def options(net):
    sock, udp = net.tcp(), net.udp()
    for name in ("SO_TYPE", "SO_ERROR", "SO_ACCEPTCONN", "SO_REUSEADDR", "SO_REUSEPORT", "SO_KEEPALIVE", "SO_BROADCAST", "SO_OOBINLINE", "SO_RCVLOWAT",
                 "SO_DOMAIN", "SO_PROTOCOL", "SO_SNDBUF", "SO_RCVBUF"):  # fmt: skip
        net.step(name, lambda: sock.getsockopt(net.SOL_SOCKET, getattr(net, name)))
    for name in ("TCP_NODELAY", "TCP_MAXSEG", "TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_SYNCNT", "TCP_LINGER2", "TCP_USER_TIMEOUT", "TCP_QUICKACK",
                 "TCP_CORK", "TCP_DEFER_ACCEPT"):  # fmt: skip
        net.step(name, lambda: sock.getsockopt(net.IPPROTO_TCP, getattr(net, name)))
        net.step(name + " of UDP", lambda: udp.getsockopt(net.IPPROTO_TCP, getattr(net, name)))
    for name in ("IP_TTL", "IP_TOS", "IP_MULTICAST_TTL", "IP_MULTICAST_LOOP"):
        net.step(name, lambda: udp.getsockopt(net.IPPROTO_IP, getattr(net, name)))
    for length in (1, 2, 4, 8, 1024):
        net.step(f"SO_TYPE in {length}", sock.getsockopt, net.SOL_SOCKET, net.SO_TYPE, length)
    net.step("SO_LINGER", sock.getsockopt, net.SOL_SOCKET, net.SO_LINGER, 8)
    net.step("set SO_LINGER", sock.setsockopt, net.SOL_SOCKET, net.SO_LINGER, struct.pack("ii", 1, 30))
    net.step("SO_LINGER", sock.getsockopt, net.SOL_SOCKET, net.SO_LINGER, 8)
    net.step("short SO_LINGER", sock.setsockopt, net.SOL_SOCKET, net.SO_LINGER, b"\1\0\0\0")
    net.step("SO_LINGER as int", sock.setsockopt, net.SOL_SOCKET, net.SO_LINGER, 1)
    net.step("null", sock.setsockopt, net.SOL_SOCKET, net.SO_REUSEADDR, None, 4)
    net.step("empty", sock.setsockopt, net.SOL_SOCKET, net.SO_REUSEADDR, b"")
    net.step("SO_RCVBUF", sock.setsockopt, net.SOL_SOCKET, net.SO_RCVBUF, 10000)
    net.step("SO_RCVBUF", sock.getsockopt, net.SOL_SOCKET, net.SO_RCVBUF)
    net.step("SO_SNDBUF small", sock.setsockopt, net.SOL_SOCKET, net.SO_SNDBUF, 1)
    net.step("SO_SNDBUF", sock.getsockopt, net.SOL_SOCKET, net.SO_SNDBUF)
    for name, values in (("TCP_NODELAY", (1, 2, 0)), ("TCP_KEEPIDLE", (60, 0, 40000)), ("TCP_KEEPCNT", (3, 0, 128)), ("TCP_MAXSEG", (1000, 1, 99999))):
        for value in values:
            net.step(f"{name} = {value}", lambda: sock.setsockopt(net.IPPROTO_TCP, getattr(net, name), value))
            net.step(name, lambda: sock.getsockopt(net.IPPROTO_TCP, getattr(net, name)))
    for value in (64, 0, 256, -1, -2):
        net.step(f"IP_TTL = {value}", sock.setsockopt, net.IPPROTO_IP, net.IP_TTL, value)
        net.step("IP_TTL", sock.getsockopt, net.IPPROTO_IP, net.IP_TTL)
    net.step("IP_TTL of one byte", sock.setsockopt, net.IPPROTO_IP, net.IP_TTL, b"\x07")
    net.step("IP_TTL", sock.getsockopt, net.IPPROTO_IP, net.IP_TTL)
    net.step("SO_TYPE is read-only", sock.setsockopt, net.SOL_SOCKET, net.SO_TYPE, 1)
    net.step("SO_BROADCAST", udp.setsockopt, net.SOL_SOCKET, net.SO_BROADCAST, 1)
    net.step("SO_BROADCAST", udp.getsockopt, net.SOL_SOCKET, net.SO_BROADCAST)


def poll_states(net):
    client, server = net.connection()
    everything = select.POLLIN | select.POLLOUT | select.POLLPRI
    net.step("idle", events, watch(client, everything), 0)
    net.step("reading only", events, watch(client, select.POLLIN), 0)
    net.step("for a while", events, watch(client, select.POLLIN), 50)
    net.step("nothing asked", events, watch(client, 0), 0)
    server.send(b"x")
    net.step("readable", events, watch(client, select.POLLIN))
    both = watch(client, select.POLLIN)
    both.register(server, select.POLLIN | select.POLLOUT)
    net.step("two", lambda: sorted(events(both)))
    client.shutdown(net.SHUT_RDWR)
    net.step("shut down", events, watch(client, everything), 0)
    server.close()
    net.step("hung up", events, watch(client, everything))
    closed = net.udp()
    poller = watch(closed, select.POLLIN)
    idle = net.udp()
    poller.register(idle, select.POLLIN)

    def late():
        time.sleep(0.2)
        idle.sendto(b"x", idle.getsockname())

    sender = threading.Thread(target=late)
    sender.start()
    net.step("becomes readable", events, poller, 5000)
    sender.join()
    net.step("select times out", lambda: [len(part) for part in select.select([closed], [], [], 0.05)])
    net.step("select", lambda: [len(part) for part in select.select([idle, closed], [closed, idle], [idle], 1)])


def pairs(net):
    for kind in (net.SOCK_STREAM, net.SOCK_DGRAM):
        a, b = map(net.keep, net.socketpair(net.AF_UNIX, kind))
        b.settimeout(2)
        net.step("names", lambda: (a.getsockname(), a.getpeername()))
        net.step("send", a.send, b"one")
        net.step("send", a.send, b"two")
        net.step("recv", b.recv, 100)
        net.step("recv", b.recv, 100, net.MSG_DONTWAIT)
        net.step("recv", b.recv, 100, net.MSG_DONTWAIT)
        net.step("send nothing", a.send, b"")
        net.step("recv", b.recv, 100, net.MSG_DONTWAIT)
        net.step("listen", a.listen)
        net.step("SO_TYPE", a.getsockopt, net.SOL_SOCKET, net.SO_TYPE)
        a.send(b"unread")
        b.close()
        net.step("recv", a.recv, 100, net.MSG_DONTWAIT)
        net.step("send", a.send, b"x")
        net.step("recv", a.recv, 100, net.MSG_DONTWAIT)
    net.step("of AF_INET", net.socketpair, net.AF_INET)
    a, b = map(net.keep, net.socketpair(net.AF_UNIX, net.SOCK_DGRAM))
    net.step("too long", a.send, b"x" * 1_000_000)


def full_buffers(net):
    client, server = net.connection()
    client.setblocking(False)
    net.step("fills", lambda: fill(client))
    net.step("poll", events, watch(client, select.POLLOUT), 0)
    client.settimeout(0.05)
    net.step("timeout", client.send, b"x" * 65536)
    net.step("sendall timeout", client.sendall, b"x" * 65536)
    client.settimeout(None)
    net.step("MSG_DONTWAIT", client.send, b"x" * 65536, net.MSG_DONTWAIT)


def fill(sock):
    """Sends until nothing has gone for half a second: the peer's kernel takes in more for a while."""
    quiet = 0
    while quiet < 5:
        try:
            sock.send(b"x" * 65536)
            quiet = 0
        except BlockingIOError as failed:
            last = failed.errno
            quiet += 1
            time.sleep(0.1)
    return last


def bulk(net):
    client, server = net.connection()
    sent = os.urandom(3_000_000)
    received = bytearray()

    def reading():
        while part := server.recv(1_000_000):
            received.extend(part)

    reader = threading.Thread(target=reading)
    reader.start()
    net.step("sendall", client.sendall, sent)
    client.shutdown(net.SHUT_WR)
    reader.join()
    net.step("same", lambda: bytes(received) == sent)


def closed(net):
    sock = net.listener()
    target = sock.getsockname()
    sock.close()
    net.step("accept", sock.accept)
    net.step("close again", sock.close)
    net.step("connection refused", net.tcp().connect, target)
    net.step("bind again", net.tcp().bind, target)
    client, server = net.connection()
    client.sendall(b"still delivered")
    client.close()
    net.step("recv", server.recv, 100)
    net.step("eof", server.recv, 100)


def names(net):
    numeric = net.AI_NUMERICHOST
    queries = [
        (None, 80), ("", 80), (None, "http"), ("localhost", None), ("localhost", "http"), ("localhost", "nonesuch"), ("127.0.0.1", 0),
        ("127.1", 80), ("0x7f.1", 80), ("017700000001", 80), ("2130706433", 80), ("256.1.1.1", 80), ("1.2.3.4.5", 80), ("::1", 80), ("::ffff:127.0.0.1", 80),
        ("::1", 80, net.AF_INET), ("127.0.0.1", 80, net.AF_INET6), ("127.0.0.1", 80, net.AF_INET6, 0, 0, net.AI_V4MAPPED), ("[::1]", 80), ("fe80::1%lo", 80),
        ("fe80::1%1", 80), ("fe80::1%nonesuch", 80), ("localhost", 80, 0, 0, 0, numeric), ("127.0.0.1", "80", 0, 0, 0, net.AI_NUMERICSERV),
        ("127.0.0.1", "http", 0, 0, 0, net.AI_NUMERICSERV), ("127.0.0.1", 80, 0, net.SOCK_STREAM), ("127.0.0.1", 80, 0, net.SOCK_DGRAM),
        ("127.0.0.1", 80, 0, net.SOCK_RAW), ("127.0.0.1", 80, 0, 0, net.IPPROTO_TCP), ("127.0.0.1", 80, 0, 0, net.IPPROTO_UDP),
        ("127.0.0.1", 80, 0, net.SOCK_STREAM, net.IPPROTO_UDP), (None, 80, 0, 0, 0, net.AI_PASSIVE), (None, 80, net.AF_INET6, net.SOCK_STREAM, 0, net.AI_PASSIVE),
        ("localhost", 80, 0, net.SOCK_STREAM, 0, net.AI_CANONNAME), ("127.0.0.1", 80, 0, net.SOCK_STREAM, 0, net.AI_CANONNAME), (None, 80, 0, 0, 0, net.AI_CANONNAME),
        (None, None), ("127.0.0.1", 80, 99), ("127.0.0.1", 80, 0, 99), ("127.0.0.1", 80, 0, 0, 999), ("127.0.0.1", 80, 0, 0, 0, 1 << 20), ("127.0.0.1", "65536"),
        ("127.0.0.1", 65536), ("127.0.0.1", "-1"), ("127.0.0.1", -1), ("127.0.0.1", ""), ("no-such-name.invalid", 80), ("a" * 300, 80), (b"a" * 300, 80), ("a" * 63 + ".invalid", 80), ("a b", 80),
        (b"localhost", b"80"), ("LOCALHOST", 80), ("localhost.", 80), ("127.0.0.1", "domain", 0, net.SOCK_DGRAM), ("127.0.0.1", "ssh", 0, net.SOCK_DGRAM),
        ("localhost", 80, net.AF_UNSPEC, net.SOCK_STREAM, 0, net.AI_ADDRCONFIG), ("127.0.0.1", 80, net.AF_UNIX),
    ]  # fmt: skip
    for query in queries:
        net.step(f"getaddrinfo {query}"[:60], net.getaddrinfo, *query)
    for address, flags in (
        (("127.0.0.1", 80), 0), (("127.0.0.1", 80), net.NI_NUMERICHOST), (("127.0.0.1", 80), net.NI_NUMERICSERV), (("127.0.0.1", 53), net.NI_DGRAM | net.NI_NUMERICHOST),
        (("127.0.0.1", 65000), net.NI_NUMERICHOST), (("203.0.113.7", 80), net.NI_NAMEREQD), (("203.0.113.7", 80), 0), (("::1", 80), 0), (("::1", 80, 0, 0), net.NI_NUMERICHOST),
        (("fe80::1", 80, 0, 1), net.NI_NUMERICHOST), (("localhost", 80), net.NI_NUMERICHOST), (("127.0.0.1", 80), 1 << 20), (("127.1", 80), net.NI_NUMERICHOST), (("", 80), 0),
    ):  # fmt: skip
        net.step(f"getnameinfo {address} {flags}", net.getnameinfo, address, flags)
    for service in (("http",), ("http", "tcp"), ("http", "udp"), ("domain", "udp"), ("nonesuch",), ("HTTP",), ("http", "nonesuch"), ("",)):
        net.step(f"getservbyname {service}", lambda: value_or_error(net.getservbyname, *service))
    for port in ((80,), (80, "tcp"), (53, "udp"), (0,), (65000,)):
        net.step(f"getservbyport {port}", lambda: value_or_error(net.getservbyport, *port))


def value_or_error(function, *arguments):
    """Some errors have no errno in Python, so that only the class can be compared."""
    try:
        return function(*arguments)
    except (OSError, ValueError) as failed:
        return type(failed).__name__


def text_forms(net):
    for text in ("127.0.0.1", "127.1", "127.0.1", "1", "0x7f.1", "0177.1", "0x7f000001", "4294967295", "4294967296", "256.1", "1.2.3.4.5", "1.2.3", "", " 1.2.3.4",
                 "1.2.3.4 ", "1.2.3.4 x", "1.2.3.4x", "08.1.1.1", "0x.1.1.1", "1..2", ".1", "-1", "+1", "1.2.3.256", "1.2.65535", "1.2.65536", "1.16777215"):  # fmt: skip
        net.step(f"inet_aton {text!r}", lambda: value_or_error(net.inet_aton, text))
        net.step(f"inet_pton 4 {text!r}", lambda: value_or_error(net.inet_pton, net.AF_INET, text))
    for text in ("::", "::1", "1::", "::ffff:1.2.3.4", "::1.2.3.4", "fe80::1%lo", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8:9", "1::2::3", ":1", "1:", "::12345", "::g", "::1.2.3",
                 "2001:DB8::A", "", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1:2:3:4:5:6:1.2.3.4", "[::1]"):  # fmt: skip
        net.step(f"inet_pton 6 {text!r}", lambda: value_or_error(net.inet_pton, net.AF_INET6, text))
    for packed in (b"\x7f\0\0\1", b"", b"\1\2\3", b"\1\2\3\4\5", b"\xff" * 4):
        net.step(f"inet_ntoa {packed.hex()}", lambda: value_or_error(net.inet_ntoa, packed))
        net.step(f"inet_ntop 4 {packed.hex()}", lambda: value_or_error(net.inet_ntop, net.AF_INET, packed))
    for packed in (bytes(16), bytes(15) + b"\1", bytes(10) + b"\xff\xff\1\2\3\4", bytes(12) + b"\1\2\3\4", b"\x20\x01\x0d\xb8" + bytes(11) + b"\1", b"\0\1" * 8, bytes(4)):
        net.step(f"inet_ntop 6 {packed.hex()}", lambda: value_or_error(net.inet_ntop, net.AF_INET6, packed))
    net.step("inet_pton 99", lambda: value_or_error(net.inet_pton, 99, "1.2.3.4"))
    net.step("inet_ntop 99", lambda: value_or_error(net.inet_ntop, 99, b"\1\2\3\4"))


SCENARIOS = [
    creation, unconnected_stream, bind_rules, listening, accept_of_gone_client, refused_then_connected, connect_targets, nonblocking_connect, self_connect,
    half_close, shutdown_reading, reset, reset_by_unread_data, write_to_closed, stream_reading, wait_all, wait_all_without_waiting, wait_all_peek, send_flags, urgent,
    datagrams, datagram_truncation, connected_datagrams, refused_datagrams, ipv6, options, poll_states, pairs, full_buffers, bulk, closed, names, text_forms,
]  # fmt: skip


# --- running and comparing -----------------------------------------------------------------------------------------------------------


def main():
    if sys.argv[1:2] == ["--child"]:
        return child(*sys.argv[2:])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default=os.environ.get("SOCKET_PROXY_URL", "http://127.0.0.1:8080"))
    parser.add_argument("--token", default=os.environ.get("SOCKET_PROXY_TOKEN"))
    parser.add_argument("--only", action="append", metavar="GLOB", help="scenario, as a glob; may be repeated")
    parser.add_argument("--report", metavar="FILE", help="write the report there as JSON too")
    options = parser.parse_args()
    environment = {**os.environ, "SOCKET_PROXY_URL": options.url, "SOCKET_PROXY_TOKEN": options.token or ""}
    chosen = [f.__name__ for f in SCENARIOS if not options.only or any(fnmatch.fnmatchcase(f.__name__, glob) for glob in options.only)]

    def both(scenarios):
        return (
            json.loads(subprocess.run([sys.executable, __file__, "--child", kind, *scenarios], env=environment, check=True, stdout=subprocess.PIPE).stdout)
            for kind in ("real", "service")
        )

    kernel, service = both(chosen)
    # A port that was free for IPv6 can be one of another program's connections for IPv4: only what differs twice does.
    again = [name for name in chosen if compare(kernel[name], service[name])]
    if again:
        for first, second in zip((kernel, service), both(again)):
            first.update({name: second[name] for name in again})
            first["violations"] += second["violations"]
    report = {"scenarios": {}, "violations": service["violations"], "steps": 0, "differences": 0}
    for name in chosen:
        differences = compare(kernel[name], service[name])
        report["scenarios"][name] = differences
        report["steps"] += len(kernel[name])
        report["differences"] += len(differences)
        print(f"{name:30} {len(kernel[name]):4} steps" + (f", {len(differences)} different" if differences else ""))
        for difference in differences:
            print("    " + difference)
    for violation in report["violations"]:
        print(f"breaks the contract: {violation}")
    print(f"{len(chosen)} scenarios, {report['steps']} steps: {report['differences']} differ from the kernel; {len(report['violations'])} answers break the contract")
    if options.report:
        with open(options.report, "w", encoding="utf-8") as file:
            json.dump(report, file, indent=1)
    return 1 if report["differences"] or report["violations"] else 0


def compare(kernel, service):
    differences = []
    for number in range(max(len(kernel), len(service))):
        real = kernel[number] if number < len(kernel) else ["-", "nothing"]
        here = service[number] if number < len(service) else ["-", "nothing"]
        if real != here:
            differences.append(f"step {number + 1} {real[0]}: the kernel {real[1]}, the service {here[1]}" + (f" ({here[0]})" if here[0] != real[0] else ""))
    return differences


def child(kind, *chosen):
    warnings.simplefilter("ignore", ResourceWarning)
    violations = []
    if kind == "service":
        import remote_socket
        import service

        remote_socket.install(service.Service(os.environ["SOCKET_PROXY_URL"], os.environ.get("SOCKET_PROXY_TOKEN")))
        violations = service.violations
    import socket

    def too_slow(*_):
        raise RuntimeError(f"not done after {SCENARIO_SECONDS} s")

    signal.signal(signal.SIGALRM, too_slow)
    results = {}
    for scenario in SCENARIOS:
        if scenario.__name__ not in chosen:
            continue
        net = Steps(socket)
        signal.alarm(SCENARIO_SECONDS)
        try:
            scenario(net)
        except Exception as failed:
            net.outcomes.append(["scenario", f"{type(failed).__name__}: {failed}"])
        finally:
            signal.alarm(0)
            net.close()
        results[scenario.__name__] = net.outcomes
    results["violations"] = violations
    json.dump(results, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
