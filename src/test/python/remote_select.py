"""select.select, select.poll and os.sendfile for descriptors that stand for handles of the service.

A call that names only real descriptors goes to the real function, one that names only handles is one wait on the service
(POST /sockets/poll); a mixed one alternates between short waits on both.
"""

import errno
import os
import select as _select
import time

from service import LONGEST_WAIT_MILLIS

_real_select = _select.select
_real_poll = _select.poll
_real_sendfile = os.sendfile

_MIXED_WAIT_MILLIS = 20
_EVENTS = {name: getattr(_select, name) for name in ("POLLIN", "POLLPRI", "POLLOUT", "POLLERR", "POLLHUP", "POLLNVAL", "POLLRDHUP")}
_ASKABLE = ("POLLIN", "POLLPRI", "POLLOUT", "POLLRDHUP")

_service = None
_handle_of = None


def install(service, handle_of):
    """Patches the modules select and os in place; the C code of _socket, which the HTTP client uses, does not go through them."""
    global _service, _handle_of
    _service, _handle_of = service, handle_of
    _select.select = select
    _select.poll = poll
    # Selectors then choose poll, the one call that the service has.
    for name in ("epoll", "devpoll", "kqueue"):
        if hasattr(_select, name):
            delattr(_select, name)
    os.sendfile = sendfile


def _fileno(file):
    fd = file if isinstance(file, int) else file.fileno()
    if not isinstance(fd, int):
        raise TypeError("argument must be an int, or have a fileno() method")
    if fd < 0:
        raise ValueError(f"file descriptor cannot be a negative integer ({fd})")
    return fd


def _poll_service(interests, millis):
    """poll(2) on the service, once: {fd: mask} in and out."""
    by_id = {}
    sockets = []
    for fd, mask in interests.items():
        identity = _handle_of(fd).id
        by_id.setdefault(identity, []).append(fd)
        sockets.append({"id": identity, "events": [name for name in _ASKABLE if mask & _EVENTS[name]]})
    answer = _service.call("POST", "/sockets/poll", json_body={"sockets": sockets, "timeoutMs": millis}).json()
    ready = {}
    for one in answer["ready"]:
        revents = sum(_EVENTS[name] for name in one["revents"])
        for fd in by_id[one["id"]]:
            wanted = revents & (interests[fd] | _select.POLLERR | _select.POLLHUP | _select.POLLNVAL)
            if wanted:
                ready[fd] = wanted
    return ready


def _poll(interests, seconds):
    """poll(2) over real and remote descriptors: {fd: mask} in, {fd: revents} out, empty when `seconds` (None: for ever) passed."""
    remote = {fd: mask for fd, mask in interests.items() if _handle_of(fd) is not None}
    local = {fd: mask for fd, mask in interests.items() if fd not in remote}
    deadline = None if seconds is None else time.monotonic() + seconds
    poller = _real_poll()
    for fd, mask in local.items():
        poller.register(fd, mask)
    while True:
        left = LONGEST_WAIT_MILLIS if deadline is None else max(0, int((deadline - time.monotonic()) * 1000 + 0.999))
        ready = dict(poller.poll(left if not remote else 0)) if local else {}
        if remote:
            wait = min(left, _MIXED_WAIT_MILLIS) if local else min(left, LONGEST_WAIT_MILLIS)
            ready.update(_poll_service(remote, 0 if ready else wait))
        if ready or deadline is not None and time.monotonic() >= deadline:
            return ready


def select(rlist, wlist, xlist, timeout=None):
    lists = [[(file, _fileno(file)) for file in files] for files in (rlist, wlist, xlist)]
    if not any(_handle_of(fd) for files in lists for _, fd in files):
        return _real_select(rlist, wlist, xlist, timeout)
    if timeout is not None and timeout < 0:
        raise ValueError("timeout must be non-negative")
    asked = (_select.POLLIN, _select.POLLOUT, _select.POLLPRI)
    counted = (
        _select.POLLIN | _select.POLLHUP | _select.POLLERR,
        _select.POLLOUT | _select.POLLERR,
        _select.POLLPRI,
    )
    interests = {}
    for files, mask in zip(lists, asked):
        for _, fd in files:
            interests[fd] = interests.get(fd, 0) | mask
    ready = _poll(interests, timeout)
    if any(revents & _select.POLLNVAL for revents in ready.values()):
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    return tuple([file for file, fd in files if ready.get(fd, 0) & mask] for files, mask in zip(lists, counted))


class poll:
    """``select.poll()``."""

    def __init__(self):
        self._interests = {}

    def register(self, file, eventmask=_select.POLLIN | _select.POLLPRI | _select.POLLOUT):
        self._interests[_fileno(file)] = eventmask

    def modify(self, file, eventmask):
        fd = _fileno(file)
        if fd not in self._interests:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        self._interests[fd] = eventmask

    def unregister(self, file):
        del self._interests[_fileno(file)]

    def poll(self, timeout=None):
        seconds = None if timeout is None or timeout < 0 else timeout / 1000
        return list(_poll(self._interests, seconds).items())


def sendfile(out_fd, in_fd, offset, count, *args, **kwargs):
    """sendfile(2) to a handle: what a read of the file at `offset` gives is sent, blocking as the descriptor's O_NONBLOCK says."""
    handle = _handle_of(out_fd)
    if handle is None:
        return _real_sendfile(out_fd, in_fd, offset, count, *args, **kwargs)
    data = os.pread(in_fd, min(count, 1 << 20), offset)
    if not data:
        return 0
    while True:
        millis = LONGEST_WAIT_MILLIS if os.get_blocking(out_fd) else 0
        try:
            return _service.call("POST", f"{handle.path}/send", query={"timeoutMs": millis}, body=data).json()["sent"]
        except BlockingIOError:
            if millis == 0:
                raise
