"""Python's C module ``_socket``, with the sockets on the service.

`install` puts this module in the place of ``_socket`` and builds ``socket`` and ``selectors`` anew on top of it; from then on every
socket that the process makes is a handle on the service. Nothing is emulated that the service can be asked for: a timeout is the call's
``timeoutMs``, an error is the problem's errno, and a handle that was closed is still asked for, so that EBADF is the service's word too.

A socket's descriptor is a real one, an open /dev/null of its own, which stands for the handle in this process: its number is unique,
its O_NONBLOCK and FD_CLOEXEC are the socket's, ``dup`` and ``close`` work on it. `remote_select` maps it back for select and poll.
"""

import binascii
import errno
import fcntl
import os
import sys
import threading
import time
import types
import warnings

import service as _service_module
import _socket as _real

_service = None
_default_timeout = None

# What is no part of a socket is the C module's own: byte order, interface and host names, sizes of control messages.
for _name in (
    "htonl", "htons", "ntohl", "ntohs", "gethostname", "sethostname", "if_nameindex", "if_nametoindex", "if_indextoname",
    "getprotobyname", "CMSG_LEN", "CMSG_SPACE", "error", "gaierror", "herror", "timeout", "has_ipv6",
):  # fmt: skip
    if hasattr(_real, _name):
        globals()[_name] = getattr(_real, _name)

_CONSTANT_PREFIXES = ("AF_", "AI_", "EAI_", "INADDR_", "IP_", "IPPORT_", "IPPROTO_", "IPV6_", "MSG_", "NI_", "PF_", "SCM_", "SHUT_", "SO_",
    "SOCK_", "SOL_", "SOMAXCONN", "TCP_", "UDP_")  # fmt: skip


# --- descriptors -----------------------------------------------------------------------------------------------------------------


class Handle:
    """A handle of the service, and how many descriptors of this process stand for it (dup makes more)."""

    __slots__ = ("id", "family", "type", "proto", "references")

    def __init__(self, socket_json):
        self.id = socket_json["id"]
        self.family = _number(socket_json["family"])
        self.type = _number(socket_json["type"])
        self.proto = _number(socket_json.get("proto") or 0)
        self.references = 0

    @property
    def path(self):
        return "/sockets/" + self.id


_lock = threading.RLock()
_handles = {}  # descriptor -> Handle, guarded by _lock


def handle_of(fd):
    """The handle that a descriptor stands for, or None for any other descriptor."""
    with _lock:
        return _handles.get(fd)


def _adopt(handle, fd=None):
    if fd is None:
        fd = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    with _lock:
        _handles[fd] = handle
        handle.references += 1
    return fd


def _release(fd, handle):
    """Closes a descriptor, and the handle with its last one. An unknown one is asked of the service, which has to say EBADF."""
    with _lock:
        known = _handles.get(fd) is handle and handle is not None
        if known:
            del _handles[fd]
            handle.references -= 1
            last = handle.references == 0
            os.close(fd)
    if not known:
        if handle is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        _service.call("DELETE", handle.path)
    elif last:
        _service.call("DELETE", handle.path)


def close(fd):
    fd = _int(fd)
    _release(fd, handle_of(fd))


def dup(fd):
    fd = _int(fd)
    handle = handle_of(fd)
    if handle is None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    return _adopt(handle, os.dup(fd))


# --- arguments, as the C module takes them ---------------------------------------------------------------------------------------


def _int(value, bits=31):
    if isinstance(value, float) or not hasattr(value, "__index__"):
        raise TypeError(f"'{type(value).__name__}' object cannot be interpreted as an integer")
    number = value.__index__()
    if not -(1 << bits) <= number < 1 << bits:
        raise OverflowError("Python int too large to convert to C int")
    return number


def _bytes(data):
    try:
        view = memoryview(data)
    except TypeError:
        raise TypeError(f"a bytes-like object is required, not '{type(data).__name__}'") from None
    return view.tobytes()


def _writable(buffer):
    try:
        view = memoryview(buffer)
    except TypeError:
        raise TypeError(f"a read-write bytes-like object is required, not '{type(buffer).__name__}'") from None
    if view.readonly:
        raise TypeError(f"a read-write bytes-like object is required, not '{type(buffer).__name__}'")
    return view.cast("B")


def _size(value, what):
    number = _int(value, 63)
    if number < 0:
        raise ValueError(f"negative buffersize in {what}")
    return number


def _number(constant):
    """A constant of the service, which it writes as a name or as a number."""
    if isinstance(constant, int):
        return constant
    if isinstance(constant, (list, tuple)):
        return sum(_number(one) for one in constant)
    return int(constant) if constant.lstrip("-").isdigit() else _constants[constant]


def _host(host):
    if isinstance(host, str):
        return host if host.isascii() else host.encode("idna").decode("ascii")
    if isinstance(host, (bytes, bytearray)):
        return bytes(host).decode("ascii")
    raise TypeError(f"str, bytes or bytearray expected, not {type(host).__name__}")


def _to_address(family, address, caller):
    """A sockaddr as Python writes it, as the service's address."""
    if family == _constants.get("AF_UNIX"):
        if isinstance(address, str):
            path = os.fsencode(address)
        elif isinstance(address, (bytes, bytearray, memoryview)):
            path = bytes(address)
        else:
            raise TypeError(f"a bytes-like object is required, not '{type(address).__name__}'")
        return {"path": os.fsdecode(path)}
    six = family == _constants.get("AF_INET6")
    name = "AF_INET6" if six else "AF_INET"
    if not isinstance(address, tuple):
        raise TypeError(f"{caller}(): {name} address must be tuple, not {type(address).__name__}")
    if not 2 <= len(address) <= (4 if six else 2):
        raise TypeError(f"{caller}(): wrong format for {name} address tuple")
    port = _int(address[1])
    if not 0 <= port <= 0xFFFF:
        raise OverflowError(f"{caller}(): port must be 0-65535.")
    result = {"host": _host(address[0]), "port": port}
    if six and len(address) > 2:
        result["flowinfo"] = _flowinfo(address[2], caller)
        if len(address) > 3:
            result["scopeId"] = _int(address[3], 63) & 0xFFFFFFFF
    return result


def _flowinfo(value, caller):
    flowinfo = _int(value, 63) & 0xFFFFFFFF
    if flowinfo > 0xFFFFF:
        raise OverflowError(f"{caller}(): flowinfo must be 0-1048575.")
    return flowinfo


def _from_address(address, family=None):
    """The service's address as Python writes a sockaddr."""
    if address is None:
        return "" if family == _constants.get("AF_UNIX") else None
    if "host" not in address or address["host"] is None:
        path = address.get("path") or ""
        return path.encode() if path.startswith("\0") else path
    if address.get("flowinfo") is not None or address.get("scopeId") is not None:
        return address["host"], address["port"], address.get("flowinfo") or 0, address.get("scopeId") or 0
    return address["host"], address["port"]


class _Received:
    """What recv or recvfrom answered: the bytes, the sender (None as from a stream) and msg_flags."""

    __slots__ = ("data", "address", "flags")

    def __init__(self, answer):
        if answer.headers.get_content_type() == "application/json":
            received = answer.json()
            self.data = _unbase64(received["data"])
            self.address = _from_address(received["address"])
            self.flags = _number(received["flags"])
        else:
            self.data = answer.body
            host = answer.headers.get("Socket-Address-Host")
            self.address = None if host is None else (host, int(answer.headers["Socket-Address-Port"]))
            self.flags = _number(answer.headers["Socket-Msg-Flags"])


def _parse_timeout(value):
    if value is None:
        return None
    if isinstance(value, (str, bytes)) or not (hasattr(value, "__float__") or hasattr(value, "__index__")):
        raise TypeError(f"'{type(value).__name__}' object cannot be interpreted as an integer")
    seconds = float(value)
    if seconds != seconds:
        raise ValueError("Invalid value NaN (not a number)")
    if seconds < 0:
        raise ValueError("Timeout value out of range")
    if seconds > 9_223_372_036:
        raise OverflowError("timestamp out of range for platform time_t")
    return seconds


# --- waiting ---------------------------------------------------------------------------------------------------------------------


class _Again(Exception):
    """The service's 204, or EAGAIN where it has no 204: nothing came within timeoutMs."""


def _wait(attempt, seconds, patient=True):
    """Calls `attempt(timeoutMs)` until it does not raise _Again any more, as long as a socket with this timeout has to."""
    if seconds == 0 or not patient:
        try:
            return attempt(0)
        except _Again:
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN)) from None
    deadline = None if seconds is None else time.monotonic() + seconds
    while True:
        left = _service_module.LONGEST_WAIT_MILLIS
        if deadline is not None:
            # Rounded up: a wait of 0 would be another call.
            left = min(left, max(1, int((deadline - time.monotonic()) * 1000 + 0.999)))
        try:
            return attempt(left)
        except _Again:
            if deadline is not None and time.monotonic() >= deadline:
                raise timeout("timed out") from None


# --- the socket ------------------------------------------------------------------------------------------------------------------


class socket:
    """``_socket.socket``: the base class of ``socket.socket``."""

    # No __dict__ and no __weakref__: socket.socket adds a __weakref__ slot of its own.
    __slots__ = ("_fd", "_handle", "_family", "_type", "_proto", "_timeout")

    def __new__(cls, *args, **kwargs):
        self = object.__new__(cls)
        self._fd = -1
        self._handle = None
        self._family = self._type = self._proto = 0
        self._timeout = _default_timeout
        return self

    def __init__(self, family=-1, type=-1, proto=-1, fileno=None):
        family, type, proto = _int(family), _int(type), _int(proto)
        if fileno is not None:
            self._open(fileno, family, type, proto)
        else:
            body = {
                "family": _constants["AF_INET"] if family == -1 else family,
                "type": _constants["SOCK_STREAM"] if type == -1 else type,
                "proto": 0 if proto == -1 else proto,
            }
            self._handle = Handle(_service.call("POST", "/sockets", json_body=body).json())
            self._fd = _adopt(self._handle)
            self._family, self._proto = body["family"], body["proto"]
            self._type = body["type"]
        self._timeout = _default_timeout
        nonblock = getattr(_real, "SOCK_NONBLOCK", 0)
        if self._type & nonblock:
            self._timeout = 0.0
        self._type &= ~(nonblock | getattr(_real, "SOCK_CLOEXEC", 0))
        if self._timeout is not None:
            self._set_nonblocking(True)

    def _open(self, fileno, family, type, proto):
        if isinstance(fileno, float):
            raise TypeError("integer argument expected, got float")
        fd = _int(fileno)
        if fd < 0:
            raise ValueError("negative file descriptor")
        handle = handle_of(fd)
        if handle is None:
            os.fstat(fd)  # EBADF
            raise OSError(errno.ENOTSOCK, os.strerror(errno.ENOTSOCK))
        self._fd, self._handle = fd, handle
        self._family = handle.family if family == -1 else family
        self._type = handle.type if type == -1 else type
        self._proto = handle.proto if proto == -1 else proto

    def __repr__(self):
        return f"<socket object, fd={self._fd}, family={self._family}, type={self._type}, proto={self._proto}>"

    def __del__(self):
        if self._fd != -1:
            warnings.warn(f"unclosed {self!r}", ResourceWarning, source=self)
            try:
                socket.close(self)
            except Exception:  # the finalizer of the C module ignores close's error too
                pass

    family = property(lambda self: self._family)
    type = property(lambda self: self._type)
    proto = property(lambda self: self._proto)
    timeout = property(lambda self: self._timeout)

    def _call(self, operation, **arguments):
        """POST …/{id}/operation. EBADF once this object is closed, without asking: it no longer knows its handle."""
        if self._fd == -1:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return _service.call("POST", f"{self._handle.path}/{operation}", **arguments)

    def _get(self, path):
        if self._fd == -1:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return _service.call("GET", f"{self._handle.path}/{path}").json()

    # life

    def fileno(self):
        return self._fd

    def close(self):
        fd, self._fd = self._fd, -1
        if fd != -1:
            _release(fd, self._handle)

    def detach(self):
        fd, self._fd = self._fd, -1
        return fd

    # timeouts

    def settimeout(self, value):
        seconds = _parse_timeout(value)
        self._set_nonblocking(seconds is not None)
        self._timeout = seconds

    def gettimeout(self):
        return self._timeout

    def setblocking(self, flag):
        self.settimeout(None if flag else 0.0)

    def getblocking(self):
        return self._timeout != 0

    def _set_nonblocking(self, nonblocking):
        if self._fd == -1:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        flags = fcntl.fcntl(self._fd, fcntl.F_GETFL)
        fcntl.fcntl(self._fd, fcntl.F_SETFL, flags | os.O_NONBLOCK if nonblocking else flags & ~os.O_NONBLOCK)

    # names

    def bind(self, address):
        self._call("bind", json_body=_to_address(self._family, address, "bind"))

    def getsockname(self):
        return _from_address(self._get("sockname"), self._family)

    def getpeername(self):
        return _from_address(self._get("peername"), self._family)

    # connections

    def listen(self, backlog=None):
        self._call("listen", json_body={"backlog": min(_constants.get("SOMAXCONN", 128), 128) if backlog is None else _int(backlog)})

    def _accept(self):
        def attempt(millis):
            answer = self._call("accept", query={"timeoutMs": millis})
            if answer.status == 204:
                raise _Again
            return answer.json()

        accepted = _wait(attempt, self._timeout)
        handle = Handle(accepted["socket"])
        return _adopt(handle), _from_address(accepted["address"], self._family)

    def connect(self, address):
        self._connect(_to_address(self._family, address, "connect"))

    def connect_ex(self, address):
        target = _to_address(self._family, address, "connect_ex")
        try:
            self._connect(target)
        except gaierror:
            raise
        except timeout:
            return errno.EWOULDBLOCK
        except OSError as failed:
            return failed.errno
        return 0

    def _connect(self, target):
        if self._timeout == 0:
            self._call("connect", json_body={**target, "timeoutMs": 0})
            return

        def attempt(millis):
            try:
                self._call("connect", json_body={**target, "timeoutMs": millis})
            except OSError as failed:
                if failed.errno == errno.EINPROGRESS:
                    raise _Again from None
                raise

        _wait(attempt, self._timeout)

    def shutdown(self, how):
        self._call("shutdown", json_body={"how": _int(how)})

    # receiving

    def _receive(self, operation, size, flags):
        # The headers tell host and port, which is all of an AF_INET address; JSON tells the rest of the others.
        accept = "application/json" if operation == "recvfrom" and self._family != _constants["AF_INET"] else None
        dont_wait = _constants.get("MSG_DONTWAIT", 0)
        # A socket with a timeout waits for readiness before the call, so that MSG_DONTWAIT makes no difference to it.
        sent_flags = flags & ~dont_wait if self._timeout else flags

        def attempt(millis):
            answer = self._call(operation, query={"bufsize": size, "flags": sent_flags, "timeoutMs": millis}, accept=accept)
            if answer.status == 204:
                raise _Again
            return _Received(answer)

        received = _wait(attempt, self._timeout, patient=not sent_flags & dont_wait)
        if len(received.data) > size:
            raise _service_module.ContractViolation(f"{operation} of {size} answered with {len(received.data)} bytes")
        return received

    def recv(self, bufsize, flags=0):
        size, flags = _size(bufsize, "recv"), _int(flags)
        if size == 0:
            return b""
        return self._receive("recv", size, flags).data

    def recvfrom(self, bufsize, flags=0):
        received = self._receive("recvfrom", _size(bufsize, "recvfrom"), _int(flags))
        return received.data, received.address

    def recv_into(self, buffer, nbytes=0, flags=0):
        view, flags = _writable(buffer), _int(flags)
        size = _size(nbytes, "recv_into") or len(view)
        if size > len(view):
            raise ValueError("buffer too small for requested bytes")
        if size == 0:
            return 0
        data = self._receive("recv", size, flags).data
        view[: len(data)] = data
        return len(data)

    def recvfrom_into(self, buffer, nbytes=0, flags=0):
        view, flags = _writable(buffer), _int(flags)
        size = _size(nbytes, "recvfrom_into") or len(view)
        if size > len(view):
            raise ValueError("nbytes is greater than the length of the buffer")
        received = self._receive("recvfrom", size, flags)
        view[: len(received.data)] = received.data
        return len(received.data), received.address

    def recvmsg(self, bufsize, ancbufsize=0, flags=0):
        size, flags = _size(bufsize, "recvmsg()"), _int(flags)
        self._no_ancillary(ancbufsize)
        received = self._receive("recvfrom", size, flags)
        return received.data, [], received.flags, received.address

    def recvmsg_into(self, buffers, ancbufsize=0, flags=0):
        views, flags = [_writable(buffer) for buffer in buffers], _int(flags)
        self._no_ancillary(ancbufsize)
        received = self._receive("recvfrom", sum(map(len, views)), flags)
        left = received.data
        for view in views:
            part, left = left[: len(view)], left[len(view) :]
            view[: len(part)] = part
        return len(received.data), [], received.flags, received.address

    @staticmethod
    def _no_ancillary(ancbufsize):
        if _int(ancbufsize, 63) < 0:
            raise ValueError("invalid ancillary data buffer length")

    # sending

    def _send(self, operation, data, query):
        dont_wait = _constants.get("MSG_DONTWAIT", 0)
        flags = query["flags"]
        if self._timeout:
            query["flags"] = flags & ~dont_wait

        def attempt(millis):
            try:
                return self._call(operation, query={**query, "timeoutMs": millis}, body=data).json()["sent"]
            except OSError as failed:
                if failed.errno == errno.EAGAIN and not isinstance(failed, timeout):
                    raise _Again from None
                raise

        return _wait(attempt, self._timeout, patient=not query["flags"] & dont_wait)

    def send(self, data, flags=0):
        return self._send("send", _bytes(data), {"flags": _int(flags)})

    def sendall(self, data, flags=0):
        data, flags = _bytes(data), _int(flags)
        if self._timeout == 0:
            while data:
                data = data[self._send("send", data, {"flags": flags}) :]
            return
        deadline = None if self._timeout is None else time.monotonic() + self._timeout
        rest = memoryview(data)
        while True:
            piece = rest[:SENDALL_PIECE_BYTES]
            left = _service_module.LONGEST_WAIT_MILLIS
            if deadline is not None:
                left = min(left, max(1, int((deadline - time.monotonic()) * 1000 + 0.999)))
            try:
                self._call("sendall", query={"flags": flags, "timeoutMs": left}, body=piece.tobytes())
                rest = rest[len(piece) :]
            except OSError as failed:
                if failed.errno != errno.EAGAIN:
                    raise
                rest = rest[failed.problem.get("sent", 0) :]
                if deadline is not None and time.monotonic() >= deadline:
                    raise timeout("timed out") from None
            if not rest:
                return

    def sendto(self, data, *args):
        if not 1 <= len(args) <= 2:
            raise TypeError(f"sendto() takes 2 or 3 arguments ({len(args) + 1} given)")
        data = _bytes(data)
        flags = _int(args[0]) if len(args) == 2 else 0
        return self._send("sendto", data, {"flags": flags, **_to_address(self._family, args[-1], "sendto")})

    def sendmsg(self, buffers, ancdata=(), flags=0, address=None):
        data = b"".join([_bytes(buffer) for buffer in buffers])
        flags = _int(flags)
        control = []
        for item in ancdata:
            if not isinstance(item, (tuple, list)) or len(item) != 3:
                raise TypeError("[sendmsg() ancillary data items] must be 3-item sequences")
            control.append((_int(item[0]), _int(item[1]), _bytes(item[2])))
        if address is not None:
            query = {"flags": flags, **_to_address(self._family, address, "sendmsg")}
        if control:
            raise OSError(errno.EOPNOTSUPP, "the service has no ancillary data")
        return self._send("send", data, {"flags": flags}) if address is None else self._send("sendto", data, query)

    # options

    def getsockopt(self, level, name, buflen=0):
        path = f"options/{_int(level)}/{_int(name)}"
        buflen = _int(buflen)
        if buflen == 0:
            return self._get(path)["value"]
        if not 0 < buflen <= 1024:
            raise OSError("getsockopt buflen out of range")
        return _unbase64(self._get(f"{path}?length={buflen}")["data"])

    def setsockopt(self, level, name, value, optlen=None):
        path = f"{self._handle.path}/options/{_int(level)}/{_int(name)}"
        if value is None:
            if optlen is None:
                raise TypeError("setsockopt() requires 4 arguments when the third is None")
            body = {"length": _int(optlen)}
        elif isinstance(value, int):
            body = {"value": _int(value)}
        else:
            body = {"data": _base64(_bytes(value))}
        if self._fd == -1:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        _service.call("PUT", path, json_body=body)


# One call of sendall carries this much at most; a longer buffer is sent by several, and what was sent before an error stays sent.
SENDALL_PIECE_BYTES = 256 * 1024

SocketType = socket


def socketpair(family=None, type=None, proto=0):
    if family is None:
        family = _constants["AF_UNIX"]
    if type is None:
        type = _constants["SOCK_STREAM"]
    body = {"family": _int(family), "type": _int(type), "proto": _int(proto)}
    both = []
    for one in _service.call("POST", "/socketpair", json_body=body).json()["sockets"]:
        both.append(socket(family, type, proto, fileno=_adopt(Handle(one))))
    return tuple(both)


# --- names and numbers -----------------------------------------------------------------------------------------------------------


def getaddrinfo(host, port, family=0, type=0, proto=0, flags=0):
    if host is not None:
        host = host.encode("idna") if isinstance(host, str) else host if isinstance(host, bytes) else _no_name()
    if isinstance(port, int):
        port = str(int(port))
    elif isinstance(port, str):
        port = port.encode("utf-8")
    elif not (port is None or isinstance(port, bytes)):
        raise OSError("Int or String expected")
    query = {"host": host, "port": port, "family": _int(family), "type": _int(type), "proto": _int(proto), "flags": _int(flags)}
    return [
        (_number(info["family"]), _number(info["type"]), _number(info["proto"]), info.get("canonname") or "", _from_address(info["sockaddr"]))
        for info in _service.call("GET", "/getaddrinfo", query=query).json()
    ]


def _no_name():
    raise TypeError("getaddrinfo() argument 1 must be string or None")


def getnameinfo(sockaddr, flags):
    if not isinstance(sockaddr, tuple):
        # No reference to the argument may stay in the traceback: a test counts them.
        del sockaddr
        raise TypeError("getnameinfo() argument 1 must be a tuple")
    flags = _int(flags)
    if not 2 <= len(sockaddr) <= 4 or not isinstance(sockaddr[0], str):
        raise TypeError("getnameinfo(): illegal sockaddr argument")
    query = {"host": sockaddr[0], "port": _int(sockaddr[1]), "flags": flags}
    if len(sockaddr) > 2:
        query["flowinfo"] = _flowinfo(sockaddr[2], "getnameinfo")
    if len(sockaddr) > 3:
        query["scopeId"] = _int(sockaddr[3], 63) & 0xFFFFFFFF
    answer = _service.call("GET", "/getnameinfo", query=query).json()
    return answer["host"], answer["service"]


def gethostbyname(name):
    name = _host(name)
    if name in ("", "<broadcast>"):
        return "0.0.0.0" if not name else "255.255.255.255"
    return getaddrinfo(name, None, _constants["AF_INET"])[0][4][0]


def gethostbyname_ex(name):
    infos = getaddrinfo(name, None, _constants["AF_INET"], _constants["SOCK_STREAM"], 0, _constants["AI_CANONNAME"])
    return infos[0][3] or name, [], [info[4][0] for info in infos]


def gethostbyaddr(name):
    infos = getaddrinfo(name, None, 0, _constants["SOCK_STREAM"])
    address = infos[0][4]
    try:
        host, _ = getnameinfo(address, _constants["NI_NAMEREQD"])
    except gaierror:
        raise herror(1, "Unknown host") from None
    return host, [], [address[0]]


def getservbyname(name, proto=None):
    try:
        return _service.call("GET", "/getservbyname", query={"name": name, "proto": proto}).json()["port"]
    except OSError:
        raise OSError("service/proto not found") from None


def getservbyport(port, proto=None):
    port = _int(port)
    if not 0 <= port <= 0xFFFF:
        raise OverflowError("getservbyport: port must be 0-65535.")
    try:
        return _service.call("GET", "/getservbyport", query={"port": port, "proto": proto}).json()["name"]
    except OSError:
        raise OSError("port/proto not found") from None


def inet_aton(ip):
    return _packed("/inet_aton", {"ip": _text(ip)}, "illegal IP address string passed to inet_aton")


def inet_pton(family, ip):
    return _packed("/inet_pton", {"family": _int(family), "ip": _text(ip)}, "illegal IP address string passed to inet_pton")


def inet_ntoa(packed):
    packed = _bytes(packed)
    try:
        return _service.call("GET", "/inet_ntoa", query={"packed": _base64(packed)}).json()["ip"]
    except OSError:
        raise OSError("packed IP wrong length") from None


def inet_ntop(family, packed):
    query = {"family": _int(family), "packed": _base64(_bytes(packed))}
    try:
        return _service.call("GET", "/inet_ntop", query=query).json()["ip"]
    except OSError as failed:
        if failed.errno == errno.EAFNOSUPPORT:
            raise ValueError(f"unknown address family {family}") from None
        raise ValueError("invalid length of packed IP address string") from None


def _text(value):
    if not isinstance(value, str):
        raise TypeError(f"argument must be str, not {type(value).__name__}")
    if "\0" in value:
        raise ValueError("embedded null character")
    return value


def _packed(path, query, message):
    try:
        answer = _service.call("GET", path, query=query).json()
    except OSError as failed:
        if failed.errno == errno.EAFNOSUPPORT:
            raise
        raise OSError(message) from None
    packed = _unbase64(answer["packed"])
    if bytes.fromhex(answer["hex"]) != packed:
        raise _service_module.ContractViolation(f"{path}: hex is not packed: {answer}")
    return packed


def _base64(data):
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def _unbase64(text):
    return binascii.a2b_base64(text)


def getdefaulttimeout():
    return _default_timeout


def setdefaulttimeout(value):
    global _default_timeout
    _default_timeout = _parse_timeout(value)


# --- taking the place of _socket --------------------------------------------------------------------------------------------------

_constants = {}


def install(service):
    """Makes ``import socket`` in this process give the service's sockets. To be called before anything else imports socket."""
    global _service
    _service = service
    _constants.update(service.call("GET", "/constants").json())

    public = types.ModuleType("_socket", __doc__)
    for name, value in globals().items():
        if not name.startswith("_") and not isinstance(value, types.ModuleType) and name not in ("install", "handle_of", "Handle", "SENDALL_PIECE_BYTES"):
            setattr(public, name, value)
    for name, value in _constants.items():
        if name.startswith(_CONSTANT_PREFIXES):
            setattr(public, name, value)
    socket.__module__ = "_socket"

    import remote_select

    remote_select.install(service, handle_of)
    for name in list(sys.modules):
        # Whatever was built on the C module so far keeps it (the HTTP client has to); whoever imports these from now on gets new ones.
        if name in ("socket", "_socket", "selectors", "ssl") or name.partition(".")[0] in ("http", "socketserver", "asyncio", "multiprocessing"):
            del sys.modules[name]
    sys.modules["_socket"] = public
    return public
