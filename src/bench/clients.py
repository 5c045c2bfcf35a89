"""What a client of the service does: a call, and its end of a WebSocket."""

import base64
import http.client
import json
import random
import socket
import struct

from programs import TOKEN

BEARER = f"Authorization: Bearer {TOKEN}"
FIN, TEXT, BINARY, CLOSE, PING, PONG = 0x80, 1, 2, 8, 9, 10


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
