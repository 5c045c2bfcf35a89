"""The REST API as a client sees it: one keep-alive connection per thread, problems as Python's exceptions.

This module holds on to the real ``socket`` and ``http.client``, so it has to be imported before `remote_socket` takes the place of
``_socket``. It also checks what every answer of the service has to keep to, whatever the call was: a problem that breaks the contract is
noted in `violations`, because a test that expects "some OSError" would let it pass.
"""

import errno
import http.client
import json
import os
import socket as real_socket
import threading
import time
import urllib.parse

import _socket as real_module

# One wait on the server. A Python socket without a timeout repeats it; the service's own maximum may be shorter, which changes nothing.
LONGEST_WAIT_MILLIS = 20_000
# A connection that idled longer may already be closed by the server, and a request on it could not safely be repeated.
IDLE_LIMIT_SECONDS = 5.0

_STATUSES = {
    "EBADF": {404},
    "EINVAL": {400, 409},
    "EAFNOSUPPORT": {400},
    "EPROTONOSUPPORT": {400},
    "ENOPROTOOPT": {400},
    "EDESTADDRREQ": {400},
    "EISCONN": {409},
    "ENOTCONN": {409},
    "EALREADY": {409},
    "EINPROGRESS": {409},
    "EBUSY": {409},
    "EAGAIN": {409},
    "EADDRINUSE": {409},
    "EADDRNOTAVAIL": {409},
    "EACCES": {401, 403},
    "EPERM": {403},
    "EMSGSIZE": {413},
    "EMFILE": {429},
    "ENFILE": {503},
    "ENOBUFS": {503},
    "ECONNREFUSED": {502},
    "ECONNRESET": {502},
    "EPIPE": {502},
    "EHOSTUNREACH": {502},
    "ENETUNREACH": {502},
    "ETIMEDOUT": {504},
}

violations = []


class ContractViolation(Exception):
    """An answer that the contract does not have; no OSError, so that no test can take it for the error it expects."""


class Answer:
    """Status, headers (case-insensitive) and body of one response that was no problem."""

    __slots__ = ("status", "headers", "body")

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def json(self):
        return json.loads(self.body)


class Service:
    """The API at a base URL, with a token. Safe to use from any thread; each thread has a connection of its own."""

    def __init__(self, base_url, token):
        parts = urllib.parse.urlsplit(base_url)
        self._host = parts.hostname
        self._port = parts.port or 80
        self._prefix = parts.path.rstrip("/") + "/api/v1"
        self._authorization = f"Bearer {token}" if token else None
        self._local = threading.local()

    def call(self, method, path, *, query=None, json_body=None, body=None, accept=None):
        """Answers with what the service said; raises OSError or gaierror for a problem.

        An exception that a signal handler raises while the service waits passes through; the connection is given up then, so the
        service sees a caller that left.
        """
        target = self._prefix + path
        if query:
            pairs = {name: value for name, value in query.items() if value is not None}
            if pairs:
                target += "?" + urllib.parse.urlencode(pairs, quote_via=urllib.parse.quote)
        headers = {}
        if self._authorization:
            headers["Authorization"] = self._authorization
        if accept:
            headers["Accept"] = accept
        if json_body is not None:
            body = json.dumps(json_body).encode("ascii")
            headers["Content-Type"] = "application/json"
        elif body is not None:
            headers["Content-Type"] = "application/octet-stream"
        line = self._connection()
        try:
            line.connection.request(method, target, body=body, headers=headers)
            response = line.connection.getresponse()
            content = response.read()
            line.used = time.monotonic()
        except http.client.HTTPException as broken:
            line.close()
            raise ContractViolation(f"{method} {target}: {broken!r}") from broken
        except OSError as broken:
            line.close()
            raise ContractViolation(f"{method} {target}: no HTTP answer: {broken!r}") from broken
        except BaseException:
            line.close()
            raise
        if response.status < 300:
            return Answer(response.status, response.headers, content)
        raise _problem(f"{method} {target}", response, content)

    def _connection(self):
        line = getattr(self._local, "line", None)
        if line is None:
            line = self._local.line = _Line(self._host, self._port)
        if time.monotonic() - line.used > IDLE_LIMIT_SECONDS:
            line.close()
        return line


class _Line:
    """A thread's connection; closed when the thread ends."""

    def __init__(self, host, port):
        self.connection = http.client.HTTPConnection(host, port, timeout=120)
        self.used = time.monotonic()

    def close(self):
        self.connection.close()

    def __del__(self):
        self.connection.close()


def _problem(request, response, content):
    """The exception for a problem, after a look at whether the problem is a good one."""
    where = f"{request} -> {response.status}"

    def broken(what):
        violations.append(f"{where}: {what}: {content[:500]!r}")

    media_type = response.headers.get_content_type()
    if media_type != "application/problem+json":
        broken(f"media type {media_type}")
        return ContractViolation(f"{where}: {content[:500]!r}")
    problem = json.loads(content)
    if response.status == 500:
        broken("a 500")
        return ContractViolation(f"{where}: {problem}")
    if problem.get("status") != response.status:
        broken(f"status member {problem.get('status')}")
    for member in ("type", "title", "detail"):
        if not problem.get(member):
            broken(f"no {member}")
    if response.status in (502, 504) and "Proxy-Status" not in response.headers:
        broken("no Proxy-Status")
    if response.status == 429 and "Retry-After" not in response.headers:
        broken("no Retry-After")
    if "gaiCode" in problem:
        code, name = problem["gaiCode"], problem.get("gaiName")
        if getattr(real_socket, name or "", None) != code:
            broken(f"gaiName {name} is not gaiCode {code}")
        return real_socket.gaierror(code, problem.get("strerror") or problem.get("detail"))
    code, name = problem.get("errnoCode"), problem.get("errno")
    if code is None:
        broken("neither errnoCode nor gaiCode")
        return ContractViolation(f"{where}: {problem}")
    if getattr(errno, name or "", None) != code:
        broken(f"errno {name} is not errnoCode {code}")
    if problem.get("strerror") != os.strerror(code):
        broken(f"strerror, expected {os.strerror(code)!r}")
    expected = _STATUSES.get(name)
    if expected is not None and response.status not in expected:
        broken(f"{name} with status {response.status}, expected {sorted(expected)}")
    error = OSError(code, problem.get("strerror"))
    # OSError of a known errno is made as its subclass (BlockingIOError, ConnectionRefusedError …), which takes attributes too.
    error.problem = problem
    return error
