#!/usr/bin/env python3
"""Standard input and output on a TCP connection through socket-proxy: what ssh calls a ProxyCommand.

    SOCKET_PROXY_URL=https://proxy.example SOCKET_PROXY_TOKEN=spx_... ws-connect.py HOST PORT

Needs the module websockets: Debian's python3-websockets, or pip install websockets.
"""

import asyncio
import base64
import os
import sys
import urllib.parse

import websockets


def subprotocols():
    token = base64.urlsafe_b64encode(os.environ["SOCKET_PROXY_TOKEN"].encode()).decode().rstrip("=")
    return ["socket-proxy.v1", "base64url.bearer.authorization.socket-proxy." + token]


async def upload(stream):
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    while data := await reader.read(65536):
        await stream.send(data)
    await stream.send('{"type": "shutdown", "how": "SHUT_WR"}')


async def download(stream):
    async for message in stream:
        if isinstance(message, bytes):
            sys.stdout.buffer.write(message)
            sys.stdout.buffer.flush()
        elif '"eof"' in message:
            return


async def main(host, port):
    base = os.environ.get("SOCKET_PROXY_URL", "http://127.0.0.1:8080").replace("http", "ws", 1)
    query = urllib.parse.urlencode({"host": host, "port": port})
    url = f"{base}/api/v1/connect?{query}"
    async with websockets.connect(url, subprotocols=subprotocols(), compression=None, max_size=None) as stream:
        sending = asyncio.create_task(upload(stream))
        await download(stream)
        sending.cancel()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
