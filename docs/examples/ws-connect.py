#!/usr/bin/env python3
"""Standard input and output on a TCP connection through socket-proxy: what ssh calls a ProxyCommand.

    SOCKET_PROXY_URL=https://proxy.example SOCKET_PROXY_TOKEN=spx_... ws-connect.py HOST PORT

Needs Python 3.9 and nothing else. The end of the input is passed on as a half-close, and the target's end is the end of the output. Exits
with 0 when both have ended in good order, and otherwise with 1 and a sentence that says why.
"""

import base64
import http.client
import json
import os
import secrets
import socket
import struct
import sys
import threading
import urllib.parse

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


class Failed(Exception):
    """What to tell the user."""


class Stream:
    """A connection to a target, by a WebSocket that speaks socket-proxy.v1. Any thread may send; one reads."""

    def __init__(self, url, token, host, port):
        try:
            base = urllib.parse.urlsplit(url)
            service = base.scheme in ("http", "https") and base.hostname and (base.hostname, base.port)
        except ValueError:
            service = None
        if not service:
            raise Failed(f"SOCKET_PROXY_URL has to be http://host:port or https://host, not {url!r}")
        connection = http.client.HTTPSConnection if base.scheme == "https" else http.client.HTTPConnection
        self.connection = connection(*service)
        query = urllib.parse.urlencode({"host": host, "port": port})
        try:
            self.connection.request("GET", base.path.rstrip("/") + "/api/v1/connect?" + query, headers={
                "Authorization": "Bearer " + token,
                "Connection": "Upgrade",
                "Upgrade": "websocket",
                "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": base64.b64encode(secrets.token_bytes(16)).decode(),
                "Sec-WebSocket-Protocol": "socket-proxy.v1",
            })
            answer = self.connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise Failed(f"no service at {url}: {error}") from error
        if answer.status != 101:
            raise Failed(explained(answer))
        self.connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self.input = answer.fp
        self.sending = threading.Lock()
        self.progress = threading.Condition()
        self.credit = 0
        self.sent = 0

    def frames(self):
        """The service's frames, (opcode, payload), to its end."""
        while head := self.input.read(2):
            length = head[1] & 0x7F
            if length >= 126:
                length = int.from_bytes(self.input.read(2 if length == 126 else 8), "big")
            yield head[0] & 0x0F, self.input.read(length)

    def frame(self, opcode, payload):
        length = len(payload)
        size = bytes([0x80 | length]) if length < 126 else struct.pack(">BH", 0xFE, length)
        key = secrets.token_bytes(4)
        mask = int.from_bytes((key * (length // 4 + 1))[:length], "big")
        masked = (int.from_bytes(payload, "big") ^ mask).to_bytes(length, "big")
        with self.sending:
            self.connection.sock.sendall(bytes([0x80 | opcode]) + size + key + masked)

    def control(self, **message):
        self.frame(TEXT, json.dumps(message).encode())

    def send(self, data):
        """Sends bytes, as far as the service has room for them at a time."""
        while data:
            with self.progress:
                self.progress.wait_for(lambda: self.credit > self.sent)
                part = data[: min(self.credit - self.sent, 0xFFFF)]
                self.sent += len(part)
            self.frame(BINARY, part)
            data = data[len(part) :]

    def granted(self, credit):
        with self.progress:
            self.credit = credit
            self.progress.notify()


def explained(answer):
    """What the service says of a request that it refused."""
    try:
        problem = json.loads(answer.read())
        return f"{problem['detail']} ({problem.get('errno') or problem.get('gaiName', answer.status)})"
    except (ValueError, KeyError, TypeError, OSError, http.client.HTTPException):
        return f"the answer is {answer.status} {answer.reason}, and not socket-proxy's"


def upload(stream):
    try:
        # Not sys.stdin, which would wait for a whole buffer.
        while data := os.read(0, 65536):
            stream.send(data)
        stream.control(type="shutdown", how="SHUT_WR")
    except OSError:
        # The other direction says why.
        pass


def download(stream):
    failure = None
    for opcode, payload in stream.frames():
        if opcode in (BINARY, CONTINUATION):
            sys.stdout.buffer.write(payload)
            sys.stdout.buffer.flush()
        elif opcode == PING:
            stream.frame(PONG, payload)
        elif opcode == TEXT:
            message = json.loads(payload)
            if "credit" in message:
                stream.granted(message["credit"])
            if message["type"] == "eof":
                sys.stdout.buffer.flush()
                os.close(1)
            elif message["type"] == "error":
                failure = f"{message['detail']} ({message['errno']})"
        elif opcode == CLOSE:
            code = int.from_bytes(payload[:2], "big")
            stream.frame(CLOSE, payload[:2])
            if code != 1000:
                raise Failed(failure or payload[2:].decode() or f"the service closed the stream with {code}")
            return
    raise Failed("the connection to the service broke")


def main(arguments):
    if len(arguments) != 2:
        raise Failed("usage: ws-connect.py HOST PORT")
    token = os.environ.get("SOCKET_PROXY_TOKEN")
    if not token:
        raise Failed("put the service's token in SOCKET_PROXY_TOKEN")
    stream = Stream(os.environ.get("SOCKET_PROXY_URL", "http://127.0.0.1:8080"), token, *arguments)
    threading.Thread(target=upload, args=(stream,), daemon=True).start()
    try:
        download(stream)
    except OSError as error:
        raise Failed(f"the connection to the service broke: {error}") from error


if __name__ == "__main__":
    status = 0
    try:
        main(sys.argv[1:])
    except Failed as failed:
        print(f"ws-connect: {failed}", file=sys.stderr)
        status = 1
    except KeyboardInterrupt:
        status = 130
    # At once: the thread that uploads may wait for input that nobody needs any more.
    sys.stderr.flush()
    os._exit(status)
