#!/usr/bin/env python3
"""Keeps the service under mixed load with faults, and says whether it is at its end what it was at its beginning.

    python3 src/bench/soak.py [--minutes 60] [--wire handed-off,container] [--out DIR]
    python3 src/bench/soak.py --cycles 1000000 [--wire handed-off] [--out DIR]

The first is an hour of everything at once, on a service for each wire: handles by REST, raw and socket-proxy.v1 streams, resumes, resets from either
side, readers that stop, datagrams, listeners, look-ups, wrong tokens, malformed requests and frames. The second only connects, echoes and closes, as
fast as it goes. Every now and then all load stops, and once it is at rest the service is measured: descriptors, threads, native memory, live heap,
what of its own objects is left. It is flat if the second half of these measurements is no higher than the first. Exits with 1 if it is not, or if
a call was answered with a 500 or the log holds an error.

Needs what bench.py needs; the service runs with the JVM options of its image, and with the memory of its container. Writes soak.json and soak.md.
"""

import argparse
import base64
import collections
import http.client
import json
import os
import pathlib
import random
import re
import signal
import socket
import statistics
import struct
import subprocess
import sys
import threading
import time

from bench import ROOT, TARGETS, TOKEN, WORK, Process, build, free_port, java, machine, say, service_command

CONTAINER_MEMORY = "768m"  # mem_limit of docker-compose.yml
SAMPLES = 12
BEARER = f"Authorization: Bearer {TOKEN}"
FIN, TEXT, BINARY, CLOSE, PING, PONG = 0x80, 1, 2, 8, 9, 10

# What is measured at rest: title, unit, and by how much the second half may be above the first, as a share and at least.
MEASURES = {
    "descriptors": ("Descriptors", 1, 0, 8),
    "threads": ("Threads", 1, 0, 8),
    "virtualThreads": ("Virtual threads", 1, 0, 8),
    "sockets": ("Handles", 1, 0, 0),
    "streams": ("Streams", 1, 0, 0),
    "objects": ("Objects of the service's own classes", 1, 0.02, 500),
    "heap": ("Live heap, MiB", 1 << 20, 0.03, 2 << 20),
    "native": ("Memory outside of the heap in use (buffers and the JVM's own), MiB", 1 << 20, 0.1, 16 << 20),
    "resident": ("Resident, MiB", 1 << 20, 0.1, 48 << 20),
}


# --- the service ------------------------------------------------------------------------------------------------------------------


class Service:
    """One running service, on one of the two wires."""

    def __init__(self, wire):
        self.wire = wire
        self.port = free_port()
        command = service_command(self.port, f"-XX:MaxRAM={CONTAINER_MEMORY}")
        command += [f"--socket-proxy.stream.handoff={'true' if wire == 'handed-off' else 'false'}"]
        self.process = Process(f"soak-{wire}", command)
        self.process.wait_for_port(self.port, 60)
        self.pid = self.process.pid
        self.ready()

    def ready(self):
        end = time.monotonic() + 60
        while call(self, "GET", "/actuator/health/readiness")[0] != 200:
            if time.monotonic() > end:
                sys.exit(f"not ready, see {self.process.log}")
            time.sleep(0.1)

    def jcmd(self, *words):
        return subprocess.run([java().parent / "jcmd", str(self.pid), *words], stdout=subprocess.PIPE, text=True, timeout=120).stdout

    def metric(self, name):
        status, body = call(self, "GET", "/actuator/prometheus")
        if status != 200:
            raise OSError(f"metrics: {status}")
        return sum(float(value) for value in re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", body.decode(), re.M))

    def at_rest(self, seconds=30):
        """Waits until nothing is open, or for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and (self.metric("socket_proxy_handles") or self.metric("socket_proxy_streams")):
            time.sleep(0.5)
        time.sleep(2)

    def measure(self):
        self.at_rest()
        histogram = [re.split(r"\s+", line.strip()) for line in self.jcmd("GC.class_histogram").splitlines()]
        counts = {row[3]: int(row[1]) for row in histogram if len(row) > 3 and row[1].isdigit()}
        total = next(row for row in histogram if row[0] == "Total")
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        own = {name: count for name, count in counts.items() if name.startswith("io.socketproxy.")}
        return {
            "at": time.time(),
            "opened": self.metric("socket_proxy_streams_opened_total"),
            "descriptors": len(os.listdir(f"/proc/{self.pid}/fd")),
            "threads": int(re.search(r"^Threads:\s+(\d+)", status, re.M)[1]),
            "virtualThreads": sum(count for name, count in counts.items() if name in ("java.lang.VirtualThread", "java.lang.ThreadBuilders$BoundVirtualThread")),
            "sockets": int(self.metric("socket_proxy_handles")),
            "streams": int(self.metric("socket_proxy_streams")),
            "objects": sum(own.values()),
            "most": dict(sorted(own.items(), key=lambda item: -item[1])[:8]),
            "heap": int(total[2]),
            "native": self.native_heap(),
            "resident": int(re.search(r"^VmRSS:\s+(\d+)", status, re.M)[1]) * 1024,
        }

    def native_heap(self):
        """Bytes in use of what malloc(3) has from the kernel; Netty's buffers are there, where no pool of the JVM's counts them."""
        total = self.jcmd("System.native_heap_info").rpartition("</heap>")[2]
        sizes = {(tag, kind): int(size) for tag, kind, size in re.findall(r'<(\w+) type="(\w+)"(?: count="\d+")? size="(\d+)"', total)}
        return sizes["system", "current"] + sizes["total", "mmap"] - sizes["total", "fast"] - sizes["total", "rest"]

    def log_errors(self):
        lines = self.process.log.read_text(errors="replace").splitlines()
        return [line for line in lines if " ERROR " in line or re.match(r"^[\w.]+Error\b", line)]


def call(service, method, path, body=None, token=TOKEN, kind="application/json", connection=None):
    """(status, body) of one call; JSON is parsed."""
    own = connection or http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
    try:
        headers = {"Authorization": f"Bearer {token}"}
        if body is not None:
            headers["Content-Type"] = kind
        data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
        own.request(method, path, data, headers)
        answer = own.getresponse()
        body = answer.read()
        return answer.status, json.loads(body) if "json" in answer.getheader("Content-Type", "") else body
    finally:
        if not connection:
            own.close()


# --- a client's end of a WebSocket ------------------------------------------------------------------------------------------------


class Refused(Exception):
    pass


class WebSocket:
    def __init__(self, service, path, v1=False, receive_buffer=0):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(60)
        self.socket.connect(("127.0.0.1", service.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = base64.b64encode(random.randbytes(16)).decode()
        lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{service.port}", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
                 f"Sec-WebSocket-Key: {key}", BEARER, *(["Sec-WebSocket-Protocol: socket-proxy.v1"] if v1 else [])]  # fmt: skip
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        self.input = b""
        while b"\r\n\r\n" not in self.input:
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionError("closed in the handshake")
            self.input += more
        head, _, self.input = self.input.partition(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        if status != 101:
            self.socket.close()
            raise Refused(status)
        self.closed = None
        self.controls = []

    def frame(self, opcode, payload):
        mask = random.randbytes(4)
        n = len(payload)
        length = bytes([0x80 | n]) if n < 126 else struct.pack(">BH", 0xFE, n) if n < 65536 else struct.pack(">BQ", 0xFF, n)
        key = int.from_bytes(mask * (n // 4 + 1), "big") >> (8 * (4 - n % 4))
        masked = (int.from_bytes(payload, "big") ^ key).to_bytes(n, "big") if n else b""
        self.socket.sendall(bytes([FIN | opcode]) + length + mask + masked)

    def control(self, **message):
        self.frame(TEXT, json.dumps(message).encode())

    def _take(self, n):
        while len(self.input) < n:
            more = self.socket.recv(262144)
            if not more:
                raise ConnectionError("ended")
            self.input += more
        taken, self.input = self.input[:n], self.input[n:]
        return taken

    def next(self):
        """The next binary payload, or None for anything else; `closed` is set by the close frame."""
        first, second = self._take(2)
        n = second & 0x7F
        if n == 126:
            n = int.from_bytes(self._take(2), "big")
        elif n == 127:
            n = int.from_bytes(self._take(8), "big")
        payload = self._take(n)
        opcode = first & 15
        if opcode in (0, BINARY):
            return payload
        if opcode == PING:
            self.frame(PONG, payload)
        elif opcode == TEXT:
            self.controls.append(json.loads(payload))
        elif opcode == CLOSE:
            self.closed = int.from_bytes(payload[:2], "big") if payload else 1005
        return None

    def read(self, n):
        data = b""
        while len(data) < n and self.closed is None:
            data += self.next() or b""
        return data

    def attached(self):
        while not any(message["type"] == "attached" for message in self.controls):
            self.next()
            if self.closed is not None:
                raise ConnectionError(f"closed with {self.closed}")
        return next(message for message in self.controls if message["type"] == "attached")

    def end(self, how):
        """Ends as clients do: by a close frame, by FIN without one, by RST."""
        if how == "close":
            self.frame(CLOSE, struct.pack(">H", 1000))
            try:
                while self.closed is None:
                    self.next()
            except OSError:
                pass
        elif how == "reset":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


# --- load -------------------------------------------------------------------------------------------------------------------------


class Resetter(threading.Thread):
    """A target that reads a little and then resets, ends or stops reading."""

    def __init__(self):
        super().__init__(daemon=True)
        self.server = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.server.getsockname()[1]

    def run(self):
        held = collections.deque()
        while True:
            connection, _ = self.server.accept()
            connection.settimeout(0.2)
            choice = random.randrange(3)
            try:
                connection.sendall(b"x" * random.randrange(1, 20000))
                connection.recv(random.randrange(1, 5000))
            except OSError:
                pass
            if choice == 0:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if choice == 2:
                held.append(connection)
                if len(held) <= 20:
                    continue
                connection = held.popleft()
            connection.close()


class Load:
    """Workers on one service, until they are told to stop."""

    def __init__(self, service, base, resetter):
        self.service = service
        self.base = base
        self.resetter = resetter
        self.done = collections.Counter()
        self.failures = collections.Counter()
        self.lock = threading.Lock()

    def run(self, seconds):
        """All kinds of load at once, for so long; returns when all have ended."""
        end = time.monotonic() + seconds
        kinds = [self.handles, self.raw, self.resumed, self.half_closed, self.target_resets, self.stopped_reader, self.datagrams, self.listeners, self.lookups,
                 self.wrong_tokens, self.malformed_requests, self.malformed_frames, self.left_to_leases, self.short_streams]  # fmt: skip
        threads = [threading.Thread(target=self._repeat, args=(kind, end), daemon=True) for kind in kinds]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        # What a call that failed has left.
        for left in self.call("GET", "/api/v1/sockets?limit=1000")["sockets"]:
            self.call("DELETE", f"/api/v1/sockets/{left['id']}", expect=(204, 404))

    def _repeat(self, kind, end):
        while time.monotonic() < end:
            try:
                kind()
                self._count(self.done, kind.__name__)
            except Exception as failure:  # noqa: BLE001
                name = f"{kind.__name__}: {type(failure).__name__}: {str(failure)[:120]}"
                self._count(self.failures, name)
                time.sleep(0.1)
            time.sleep(random.uniform(0, 0.02))

    def _count(self, counter, name):
        with self.lock:
            counter[name] += 1

    def call(self, method, path, body=None, expect=(200, 201, 204), **more):
        status, answer = call(self.service, method, path, body, **more)
        if status not in expect:
            raise AssertionError(f"{method} {re.sub('[A-Za-z0-9_-]{16,}', '{id}', path)}: {status} {str(answer)[:200]}")
        return answer

    def target(self, name):
        return self.base + TARGETS[name]

    def connect_path(self, port, more=""):
        return f"/api/v1/connect?host=127.0.0.1&port={port}{more}"

    def opened(self, port):
        return self.call("POST", "/api/v1/connections", {"host": "127.0.0.1", "port": port})["id"]

    def handles(self):
        handle = f"/api/v1/sockets/{self.opened(self.target('echo'))}"
        data = random.randbytes(random.randrange(1, 3000))
        self.call("POST", f"{handle}/sendall", data, kind="application/octet-stream")
        back = b""
        while len(back) < len(data):
            back += self.call("POST", f"{handle}/recv?bufsize=4096", b"", kind="application/octet-stream")
        if back != data:
            raise AssertionError("not what was sent")
        self.call("GET", f"{handle}/options/SOL_SOCKET/SO_RCVBUF")
        self.call("GET", f"{handle}/peername")
        self.call("POST", "/api/v1/sockets/poll", {"sockets": [{"id": handle.rpartition("/")[2], "events": ["POLLIN"]}], "timeoutMs": 5})
        self.call("POST", f"{handle}/shutdown", {"how": "SHUT_RDWR"}, expect=(200, 409))
        self.call("DELETE", handle)

    def left_to_leases(self):
        made = self.call("POST", "/api/v1/sockets", {"type": random.choice(["SOCK_STREAM", "SOCK_DGRAM"]), "leaseMs": 1000}, expect=(201, 400))
        if "id" in made and random.random() < 0.5:
            self.call("DELETE", f"/api/v1/sockets/{made['id']}", expect=(204, 404))

    def raw(self):
        stream = WebSocket(self.service, self.connect_path(self.target("echo")))
        for _ in range(random.randrange(1, 6)):
            data = random.randbytes(random.choice([1, 100, 5000, 60000]))
            stream.frame(BINARY, data)
            if stream.read(len(data)) != data:
                raise AssertionError("not what was sent")
        stream.end(random.choice(["close", "drop", "reset"]))

    def short_streams(self):
        for _ in range(20):
            stream = WebSocket(self.service, self.connect_path(self.target("echo")))
            stream.frame(BINARY, b"hello")
            stream.read(5)
            stream.end("close")

    def resumed(self):
        """A handle's stream that is cut and taken up again; what comes is what was sent, whatever was cut."""
        path = f"/api/v1/sockets/{self.opened(self.target('echo'))}"
        sent, data, received = 0, random.randbytes(200_000), b""
        try:
            while len(received) < len(data):
                stream = WebSocket(self.service, f"{path}/stream?received={len(received)}", v1=True)
                sent = stream.attached()["received"]
                until = min(len(data), len(received) + random.randrange(1, 100_000))
                while len(received) < until:
                    # So little is on its way that it is within any credit.
                    if sent < len(data) and sent - len(received) < 65536:
                        piece = data[sent : sent + random.randrange(1, 16384)]
                        stream.frame(BINARY, piece)
                        sent += len(piece)
                    received += stream.next() or b""
                    stream.control(type="ack", received=len(received))
                    if stream.closed is not None:
                        raise AssertionError(f"closed with {stream.closed}")
                stream.end(random.choice(["drop", "reset", "close"]))
            if received != data:
                raise AssertionError("not what was sent")
        finally:
            self.call("DELETE", path, expect=(204, 404))

    def half_closed(self):
        stream = WebSocket(self.service, self.connect_path(self.target("echo")), v1=True)
        stream.attached()
        data = random.randbytes(random.randrange(1, 30000))
        stream.frame(BINARY, data)
        stream.control(type="shutdown", how="SHUT_WR")
        back = stream.read(len(data) + 1)
        if back != data or stream.closed != 1000:
            raise AssertionError(f"{len(back)} of {len(data)} bytes, closed with {stream.closed}")
        stream.end("drop")

    def target_resets(self):
        try:
            stream = WebSocket(self.service, self.connect_path(self.resetter.port), v1=random.random() < 0.5)
        except Refused as refused:
            if refused.args != (502,):
                raise
            return
        stream.socket.settimeout(3)
        try:
            for _ in range(5):
                stream.frame(BINARY, random.randbytes(2000))
                stream.next()
                if stream.closed is not None:
                    break
        except OSError:
            pass
        stream.end(random.choice(["drop", "reset"]))

    def stopped_reader(self):
        stream = WebSocket(self.service, self.connect_path(self.target("source")), v1=random.random() < 0.5, receive_buffer=8192)
        stream.read(1000)
        time.sleep(random.uniform(0, 1))
        stream.end(random.choice(["drop", "reset"]))

    def datagrams(self):
        stream = WebSocket(self.service, self.connect_path(self.target("echo"), "&type=SOCK_DGRAM"))
        data = random.randbytes(random.randrange(1, 1400))
        for _ in range(5):
            stream.frame(BINARY, data)
        if stream.read(len(data)) != data:
            raise AssertionError("not what was sent")
        stream.end(random.choice(["close", "drop"]))
        handle = f"/api/v1/sockets/{self.call('POST', '/api/v1/sockets', {'type': 'SOCK_DGRAM'})['id']}"
        self.call("POST", f"{handle}/sendto?host=127.0.0.1&port={self.target('echo')}", data, kind="application/octet-stream")
        self.call("POST", f"{handle}/recvfrom?bufsize=2000&timeoutMs=1000", b"", kind="application/octet-stream")
        self.call("DELETE", handle)

    def listeners(self):
        made = self.call("POST", "/api/v1/listeners", {})
        listener = f"/api/v1/sockets/{made['id']}"
        with socket.create_connection(("127.0.0.1", made["localAddress"]["port"])) as client:
            if random.random() < 0.5:
                accepted = self.call("POST", f"{listener}/accept?timeoutMs=5000", b"", kind="application/octet-stream")
                self.call("DELETE", f"/api/v1/sockets/{accepted['socket']['id']}")
            else:
                stream = WebSocket(self.service, f"{listener}/stream", v1=True)
                while not any(message["type"] == "accepted" for message in stream.controls):
                    stream.next()
                accepted = next(message for message in stream.controls if message["type"] == "accepted")
                self.call("DELETE", f"/api/v1/sockets/{accepted['socket']['id']}")
                stream.end("close")
            client.settimeout(5)
            client.recv(1)
        self.call("DELETE", listener)

    def lookups(self):
        self.call("GET", "/api/v1/getaddrinfo?host=localhost&port=80")
        self.call("GET", "/api/v1/getservbyname?name=http&proto=tcp")
        self.call("GET", f"/api/v1/getnameinfo?host=127.0.0.1&port=80&flags={random.choice(['NI_NUMERICHOST', '0'])}")
        self.call("GET", "/api/v1/getaddrinfo?host=127.0.0.1&port=nonsense", expect=(400, 502))

    def wrong_tokens(self):
        self.call("GET", "/api/v1/sockets", token=f"spx_{random.random()}", expect=(401, 429))
        self.call("POST", "/api/v1/tickets", b"", token="x" * random.randrange(1, 2000), expect=(401, 429))

    def malformed_requests(self):
        self.call("POST", "/api/v1/sockets", b'{"family":', expect=(400,))
        self.call("POST", "/api/v1/connections", {"host": "127.0.0.1", "port": 70000}, expect=(400,))
        self.call("POST", "/api/v1/connections", {"host": "10.0.0.1", "port": 80}, expect=(403,))
        self.call("GET", "/api/v1/nothing", expect=(404,))
        with socket.create_connection(("127.0.0.1", self.service.port)) as client:
            client.settimeout(5)
            client.sendall(random.choice([b"\x16\x03\x01" + random.randbytes(60), b"GET / HTTP/1.1\r\nHost", b"GET /\0 HTTP/9\r\n\r\n", b"POST /api/v1/sockets HTTP/1.1\r\n"
                                          b"Host: x\r\n" + BEARER.encode() + b"\r\nContent-Length: 100\r\n\r\n{"]))  # fmt: skip
            client.shutdown(socket.SHUT_WR)
            try:
                while client.recv(4096):
                    pass
            except OSError:
                pass

    def malformed_frames(self):
        stream = WebSocket(self.service, self.connect_path(self.target("echo")), v1=random.random() < 0.5)
        stream.socket.sendall(random.choice([b"\x82\x05hello", b"\xf2\x85" + bytes(9), b"\x88\x81" + bytes(5), b"\x81\x82\0\0\0\0\xff\xff", random.randbytes(200)]))
        try:
            for _ in range(3):
                if stream.closed is None:
                    stream.socket.settimeout(1)
                    stream.next()
        except OSError:
            pass
        stream.end(random.choice(["drop", "reset"]))


def cycle(service, base, seconds):
    """Connects, echoes and closes for so long, 16 at a time."""
    path = f"/api/v1/connect?host=127.0.0.1&port={base + TARGETS['echo']}"
    command = [WORK / "load", "rate", "-t", seconds, "-c", 16, "-C", base, "-p", service.port, "-u", path, "-H", BEARER]
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=seconds + 120)
    if done.returncode:
        raise AssertionError(done.stderr.strip()[:300])


# --- judging ----------------------------------------------------------------------------------------------------------------------


def judged(samples):
    """For each measure the means of the two halves, the highest, and whether it is flat; the first samples are the JVM's own growth."""
    counted = samples[max(1, len(samples) // 6) :]
    half = len(counted) // 2
    results = {}
    for name, (_, _, share, least) in MEASURES.items():
        first, second = (statistics.mean(sample[name] for sample in part) for part in (counted[:half], counted[half:]))
        results[name] = {"first": first, "second": second, "highest": max(sample[name] for sample in samples), "flat": second <= first + max(first * share, least)}
    return results


def mixed(services, base, minutes):
    resetter = Resetter()
    resetter.start()
    loads = [Load(service, base, resetter) for service in services]
    samples = {service.wire: [] for service in services}
    end = time.monotonic() + minutes * 60
    each = minutes * 60 / SAMPLES
    while time.monotonic() < end:
        threads = [threading.Thread(target=load.run, args=(max(5, min(each - 10, end - time.monotonic())),), daemon=True) for load in loads]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        sample(services, samples)
    return samples, {load.service.wire: {"done": dict(load.done), "failures": dict(load.failures)} for load in loads}


def cycles(services, base, count):
    samples = {service.wire: [] for service in services}
    for service in services:
        failures = 0
        while (opened := service.metric("socket_proxy_streams_opened_total")) < count and failures < 3:
            goal = opened + count / SAMPLES
            while service.metric("socket_proxy_streams_opened_total") < min(goal, count) and failures < 3:
                try:
                    cycle(service, base, 5)
                except AssertionError as failure:
                    say(f"  {service.wire}: {failure}")
                    failures += 1
            sample([service], samples)
    return samples, {service.wire: {"done": {}, "failures": {}} for service in services}


def sample(services, samples):
    for service in services:
        one = service.measure()
        samples[service.wire].append(one)
        told = ", ".join(f"{MEASURES[name][0].split(',')[0].lower()} {one[name] / MEASURES[name][1]:,.0f}" for name in MEASURES)
        say(f"  {service.wire}: {one['opened']:,.0f} streams so far; {told}")


# --- the report -------------------------------------------------------------------------------------------------------------------


def report(directory, results):
    lines = [
        "# Soak",
        "",
        "Written by `python3 src/bench/soak.py`: the service under load and faults, measured whenever all load had stopped. It is flat where the mean "
        "of the second half of the measurements is not above that of the first by more than the allowance.",
        "",
    ]
    for kind, title in (("mixed", "Mixed load with faults"), ("cycles", "Connect, echo, close")):
        for wire, run in results.get(kind, {}).items():
            about = run["machine"]
            lines += [f"## {title}, {wire} wire", "", f"On {about['date']}, {run['took']}: {run['opened']:,.0f} streams in {len(run['samples'])} measurements. "
                      f"{about['processor']}, {about['memory']}, {about['kernel']}; {about['options']}, memory of {CONTAINER_MEMORY}.", ""]  # fmt: skip
            if run["done"]:
                lines += ["Done: " + ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in sorted(run["done"].items())) + ".", ""]
            lines += ["| at rest | first half | second half | highest | |", "| --- | ---: | ---: | ---: | --- |"]
            for name, (text, unit, _, _) in MEASURES.items():
                one = run["judged"][name]
                values = " | ".join(f"{one[part] / unit:,.{1 if unit > 1 else 0}f}" for part in ("first", "second", "highest"))
                lines.append(f"| {text} | {values} | {'flat' if one['flat'] else '**rises**'} |")
            told = [f"{count:,} × {name}" for name, count in sorted(run["failures"].items(), key=lambda item: -item[1])[:10]]
            lines += ["", f"Failures: {'; '.join(told) if told else 'none'}. Errors in the log: {run['logErrors']}.", ""]
    (directory / "soak.md").write_text("\n".join(lines).rstrip() + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60, help="of mixed load (default 60)")
    parser.add_argument("--cycles", type=int, help="connects and closes so often instead")
    parser.add_argument("--wire", default="handed-off,container", help="handed-off, container or both (default)")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "docs/benchmarks")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that nothing is left running
    build()
    base = free_port(4)
    target = Process("target", [WORK / "target", base])
    services = []
    try:
        target.wait_for_port(base)
        services = [Service(wire) for wire in options.wire.split(",")]
        began = time.monotonic()
        if options.cycles:
            kind, (samples, counts) = "cycles", cycles(services, base, options.cycles)
        else:
            kind, (samples, counts) = "mixed", mixed(services, base, options.minutes)
        took = f"{(time.monotonic() - began) / 60:.0f} minutes"
        file = options.out / "soak.json"
        results = json.loads(file.read_text()) if file.exists() else {}
        well = True
        for service in services:
            errors = service.log_errors()
            run = {"machine": machine(), "took": took, "opened": samples[service.wire][-1]["opened"], "judged": judged(samples[service.wire]),
                   "samples": samples[service.wire], "logErrors": len(errors), **counts[service.wire]}  # fmt: skip
            results.setdefault(kind, {})[service.wire] = run
            rising = [MEASURES[name][0] for name, one in run["judged"].items() if not one["flat"]]
            well = well and not rising and not errors and not run["failures"]
            say(f"{service.wire}: {'rises: ' + ', '.join(rising) if rising else 'flat'}; {sum(run['failures'].values())} failures, {len(errors)} errors in the log")
            for text in [*errors[:5], *list(run["failures"])[:20]]:
                say(f"  {text}")
            if rising:
                say(f"  most objects: {samples[service.wire][-1]['most']}")
    finally:
        for service in services:
            service.process.stop()
        target.stop()
    options.out.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(results, indent=1) + "\n")
    report(options.out, results)
    say(f"written: {options.out / 'soak.md'}")
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    main()
