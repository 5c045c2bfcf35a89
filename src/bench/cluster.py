#!/usr/bin/env python3
"""Several nodes with a store behind HAProxy: whether quotas and tickets are exact, what comes back when a node or the store goes,
what the store costs a call, and what one store can do.

    python3 src/bench/cluster.py [--jar target/socket-proxy.jar] [--quick]

Needs redis-server and haproxy. All of it runs on 127.0.0.1, and is stopped at the end.
"""

import argparse
import base64
import contextlib
import http.client
import json
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOKEN = "spx_token-of-the-cluster-benchmark"
NODES = ("n1", "n2", "n3")
QUOTA = 300


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Client:
    """One connection that is kept, and made anew where it was closed."""

    def __init__(self, port):
        self.port = port
        self.connection = None

    def call(self, method, path, body=None):
        for attempt in (0, 1):
            try:
                if self.connection is None:
                    self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
                headers = {"Authorization": "Bearer " + TOKEN}
                data = None
                if body is not None:
                    data = json.dumps(body)
                    headers["Content-Type"] = "application/json"
                self.connection.request(method, path, data, headers)
                answer = self.connection.getresponse()
                content = answer.read()
                return answer.status, json.loads(content) if content else {}
            except (OSError, http.client.HTTPException):
                self.connection = None
                if attempt:
                    return 0, {}


class Cluster:
    def __init__(self, jar, directory):
        self.jar, self.directory = jar, pathlib.Path(directory)
        self.java = os.path.join(os.environ["JAVA_HOME"], "bin", "java") if "JAVA_HOME" in os.environ else "java"
        self.processes = {}
        self.ports = {name: free_port() for name in (*NODES, "store", "proxy", "single")}

    def run(self, name, *command):
        with open(self.directory / f"{name}.log", "ab") as log:
            self.processes[name] = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.directory)

    def store(self):
        self.run("store", "redis-server", "--port", str(self.ports["store"]), "--bind", "127.0.0.1", "--save", "")
        self.await_port("store")

    def node(self, name, named=True):
        cluster = (f"--socket-proxy.cluster.node={name}", "--spring.data.redis.host=127.0.0.1",
                   f"--spring.data.redis.port={self.ports['store']}") if named else ()
        self.run(name, self.java, "-Xmx256m", "-jar", str(self.jar), f"--server.port={self.ports[name]}",
                 "--server.address=127.0.0.1", "--spring.profiles.active=local", f"--socket-proxy.security.token={TOKEN}",
                 f"--socket-proxy.limits.handles-per-owner={QUOTA}", "--socket-proxy.limits.connects-per-second=0", *cluster)

    def proxy(self):
        text = (ROOT / "docs/deployment/cluster/haproxy.cfg").read_text()
        text = text.replace("bind :80\n", f"bind 127.0.0.1:{self.ports['proxy']}\n")
        for name in NODES:
            text = text.replace(f" {name}:8080", f" 127.0.0.1:{self.ports[name]}")
        (self.directory / "haproxy.cfg").write_text(text)
        self.run("proxy", "haproxy", "-db", "-f", "haproxy.cfg")

    def await_port(self, name):
        until(lambda: socket.create_connection(("127.0.0.1", self.ports[name]), 1).close() is None, 120)

    def await_ready(self, name):
        until(lambda: Client(self.ports[name]).call("GET", "/actuator/health/readiness")[0] == 200, 120)

    def end(self, name, how=signal.SIGKILL):
        process = self.processes.pop(name)
        process.send_signal(how)
        process.wait(60)

    def close(self):
        for name in list(self.processes):
            self.end(name)


def until(condition, seconds):
    """Seconds until it holds."""
    start = time.monotonic()
    while True:
        try:
            if condition():
                return time.monotonic() - start
        except OSError:
            pass
        if time.monotonic() - start > seconds:
            raise SystemExit("not within %d s: %s" % (seconds, condition))
        time.sleep(0.02)


def say(what, value):
    print(f"{what}: {value}", flush=True)


def fill(cluster, clients=16):
    """Opens sockets through HAProxy until each client is refused; their ids."""

    def one(_):
        client, mine = Client(cluster.ports["proxy"]), []
        while True:
            status, answer = client.call("POST", "/api/v1/sockets", {})
            if status != 201:
                return mine, status
            mine.append(answer["id"])

    with ThreadPoolExecutor(clients) as pool:
        results = list(pool.map(one, range(clients)))
    return [each for ids, _ in results for each in ids], {status for _, status in results}


def close_all(cluster, ids):
    client = Client(cluster.ports["proxy"])
    for each in ids:
        client.call("DELETE", "/api/v1/sockets/" + each)


def quota(cluster, rounds):
    counts = []
    for _ in range(rounds):
        ids, refusals = fill(cluster)
        counts.append(len(ids))
        assert refusals == {429}, refusals
        close_all(cluster, ids)
        time.sleep(1.5)
    say(f"a quota of {QUOTA}, 16 clients, three nodes", counts)


def redeem(port, ticket):
    key = base64.b64encode(os.urandom(16)).decode()
    with socket.create_connection(("127.0.0.1", port), 10) as s:
        s.sendall((f"GET /api/v1/sockets/none/stream?ticket={ticket} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
                   f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n").encode())
        return s.recv(64).split(b" ", 2)[1]


def tickets(cluster, total):
    """Each redeemed by all nodes at once: 404 (somebody, but no such socket) is success, 401 is not."""
    exactly_once = 0
    clients = {name: Client(cluster.ports[name]) for name in NODES}
    with ThreadPoolExecutor(12) as pool:
        for start in range(0, total, 500):
            batch = [clients[NODES[i % 3]].call("POST", "/api/v1/tickets", {})[1]["ticket"] for i in range(min(500, total - start))]
            racing = [[pool.submit(redeem, cluster.ports[name], ticket) for name in NODES] for ticket in batch]
            for race in racing:
                answers = [each.result() for each in race]
                assert set(answers) <= {b"404", b"401"}, answers
                exactly_once += answers.count(b"404") == 1
    say(f"{total} tickets, each redeemed by three nodes at once, spent exactly once", exactly_once)


def cost(cluster, calls):
    """POST /sockets and DELETE, one after the other, in turns: a node with the store beside a node without."""
    clients = {"with the store": Client(cluster.ports["n1"]), "without": Client(cluster.ports["single"])}
    took = {name: {"open": [], "close": [], "ticket": []} for name in clients}
    for i in range(calls + 500):
        for name, client in clients.items():
            for what, path, method in (("open", "/api/v1/sockets", "POST"), ("ticket", "/api/v1/tickets", "POST")):
                # Fewer than one owner may have unspent.
                if what == "ticket" and not 500 <= i < 700:
                    continue
                begin = time.perf_counter()
                status, answer = client.call(method, path, {})
                if i >= 500:
                    took[name][what].append(time.perf_counter() - begin)
                assert status == 201, answer
                if what == "open":
                    begin = time.perf_counter()
                    client.call("DELETE", "/api/v1/sockets/" + answer["id"])
                    if i >= 500:
                        took[name]["close"].append(time.perf_counter() - begin)
    for what in ("open", "close", "ticket"):
        say(f"{what}, median us", {name: round(statistics.median(each[what]) * 1e6) for name, each in took.items()})


def killed(cluster):
    ids, _ = fill(cluster)
    client = Client(cluster.ports["proxy"])
    lost = [each for each in ids if each.startswith("n3.")]
    cluster.end("n3")
    start = time.monotonic()
    status, answer = client.call("GET", "/api/v1/sockets/" + lost[0])
    say("a handle of a killed node", f"{status} {answer.get('errno')} after {time.monotonic() - start:.2f} s: {answer.get('detail')}")
    close_all(cluster, [ids.pop(next(i for i, each in enumerate(ids) if not each.startswith('n3.')))])
    say("a new socket after it, s", round(until(lambda: client.call("POST", "/api/v1/sockets", {})[0] == 201, 30), 2))
    back = until(lambda: client.call("POST", "/api/v1/sockets", {})[0] == 201, 30)
    say("its part of the quota is back after, s", round(time.monotonic() - start, 1) if back else 0)
    page = client.call("GET", "/api/v1/sockets?limit=1000")[1]
    close_all(cluster, [each["id"] for each in page["sockets"]])
    cluster.node("n3")
    cluster.await_ready("n3")


class Stream:
    """A raw stream to an echo server, each byte checked."""

    def __init__(self, port, target):
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET /api/v1/connect?host=127.0.0.1&port={target} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: Upgrade\r\n"
                             f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
                             f"Authorization: Bearer {TOKEN}\r\n\r\n").encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.socket.recv(1)
        assert b" 101 " in head, head

    def echo(self, payload):
        """Up to 125 bytes there and back."""
        mask = os.urandom(4)
        self.socket.sendall(bytes([0x82, 0x80 | len(payload)]) + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload)))
        got = b""
        while len(got) < len(payload):
            first, length = self.read(2)
            body = self.read(length)
            if first & 15 == 2:
                got += body
        return got == payload

    def read(self, n):
        data = b""
        while len(data) < n:
            more = self.socket.recv(n - len(data))
            if not more:
                raise EOFError
            data += more
        return data


def echo_server():
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection):
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(65536):
                connection.sendall(data)

    def accept():
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


def stopped(cluster, seconds):
    target = echo_server()
    streams = [Stream(cluster.ports["proxy"], target) for _ in range(30)]
    client = Client(cluster.ports["proxy"])
    cluster.end("store")
    begin, statuses, rounds = time.monotonic(), {}, 0
    while time.monotonic() - begin < seconds:
        for stream in streams:
            assert stream.echo(os.urandom(100))
        rounds += 1
        for what, path in (("tickets", "/api/v1/tickets"), ("sockets", "/api/v1/sockets")):
            start = time.monotonic()
            status, answer = client.call("POST", path, {})
            if status == 201 and what == "sockets":
                client.call("DELETE", "/api/v1/sockets/" + answer["id"])
            kind = statuses.setdefault((what, status), [0, 0.0, 0.0])
            kind[0] += 1
            kind[1] = max(kind[1], time.monotonic() - start)
            kind[2] = time.monotonic() - begin
        time.sleep(0.05)
    cluster.store()
    recovered = until(lambda: client.call("POST", "/api/v1/tickets", {})[0] == 201, 30)
    assert all(stream.echo(b"after") for stream in streams)
    say(f"the store stopped for {seconds} s: 30 streams echoed, rounds", rounds)
    for (what, status), (count, longest, last) in sorted(statuses.items()):
        say(f"  POST {what}: {status}", f"{count} times, at most {longest * 1000:.0f} ms, the last {last:.1f} s after the stop")
    say("  recovered after, s", round(recovered, 2))


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--jar", type=pathlib.Path, default=ROOT / "target/socket-proxy.jar")
    arguments.add_argument("--quick", action="store_true", help="a tenth of it")
    given = arguments.parse_args()
    part = 10 if given.quick else 1
    with tempfile.TemporaryDirectory() as directory:
        cluster = Cluster(given.jar.resolve(), directory)
        try:
            cluster.store()
            for name in NODES:
                cluster.node(name)
            cluster.node("single", named=False)
            cluster.proxy()
            for name in (*NODES, "single"):
                cluster.await_ready(name)
            until(lambda: Client(cluster.ports["proxy"]).call("GET", "/api/v1/sockets")[0] == 200, 30)
            cost(cluster, 3000 // part)
            cluster.end("single")
            quota(cluster, 5)
            tickets(cluster, 10000 // part)
            killed(cluster)
            stopped(cluster, 20)
        finally:
            cluster.close()


if __name__ == "__main__":
    sys.exit(main())
