"""Load of all kinds at once, with the faults that clients and targets have."""

import collections
import random
import re
import socket
import struct
import threading
import time

from clients import BEARER, BINARY, Refused, WebSocket, call
from programs import TARGETS


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
