"""Debian's websockify as the client of an echo: websockify_client.py URL, with the credential in the URL. Wants everything back."""

import os
import sys

from websockify import websocket

SIZE = 2_000_000

# It sends the URL's path without the query, which is where the target and the ticket are.
urlparse = websocket.urlparse
websocket.urlparse = lambda url: (parsed := urlparse(url))._replace(path=f"{parsed.path}?{parsed.query}")

stream = websocket.WebSocket()
stream.connect(sys.argv[1], protocols=["binary"])
sent = os.urandom(SIZE)
received = bytearray()
for at in range(0, SIZE, 10_000):
    stream.send(sent[at : at + 10_000])
    while len(received) < at:
        received += stream.recv()
while len(received) < SIZE:
    received += stream.recv()
assert received == sent
stream.shutdown(1)
print("ok")
