"""Unix sockets between the roles of one machine: streams for questions, datagrams for hints.

Who may open them depends on the folder (modes). A socket file that is there is replaced in one step, so
that callers always find a listener while a role's successor takes its place. Who may listen is
decided before, by the locks of processes/instance.
"""

import asyncio
import errno
import os
import socket
import stat
from collections.abc import Callable
from contextlib import suppress

from secondpost.mail.address import Endpoint
from secondpost.world.ports import DiskFailed, NetError
from secondpost.world.real.modes import modes_in

UNFINISHED = "~"  # appended to the name until the socket listens
BACKLOG_CONNECTIONS = 1024  # accepted by the kernel and not yet by us
HINT = b"!"
HINTS_READ_MAX = 1000  # at once; remaining ones make the socket readable again


def stream_door(path: str) -> socket.socket:
    """Create a listening stream socket. Raises NetError."""
    return _bound(path, socket.SOCK_STREAM)


def _bound(path: str, kind: socket.SocketKind) -> socket.socket:
    door = socket.socket(socket.AF_UNIX, kind | socket.SOCK_NONBLOCK)
    unfinished = f"{path}{UNFINISHED}"
    try:
        # Before bind, so that the file has it from the start (Linux keeps the mode): behind its walls
        # a role cannot change the mode of a file by its path.
        os.fchmod(door.fileno(), modes_in(os.path.dirname(path)).socket)
        _refuse_another_kind(path)
        with suppress(FileNotFoundError):
            os.unlink(unfinished)
        _bind_as_it_is(door, unfinished)
        if kind is socket.SOCK_STREAM:
            door.listen(BACKLOG_CONNECTIONS)  # before it can be found
        os.rename(unfinished, path)
    except OSError as error:
        door.close()
        if error.errno == errno.EIO:
            raise DiskFailed(f"making {path}: {os.strerror(errno.EIO)}") from error
        reason = os.strerror(error.errno).lower() if error.errno is not None else str(error)
        raise NetError(f"cannot listen on {path}: {reason}") from error
    except BaseException:
        door.close()
        raise
    return door


def _bind_as_it_is(door: socket.socket, path: str) -> None:
    """Bind, with no bit of the mode taken by the umask. Other threads make files with modes of their
    own, so the umask is nothing to them.
    """
    umask = os.umask(0)
    try:
        door.bind(path)
    finally:
        os.umask(umask)


def _refuse_another_kind(path: str) -> None:
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise NetError(f"cannot listen on {path}: a file of another kind is there")


class LocalDoor:
    """A Unix socket, whose file is removed when it is closed."""

    def __init__(self, path: str, identity: os.stat_result, close: Callable[[], None]) -> None:
        self._path = path
        self._identity = identity
        self._close = close

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint("", 0)

    def close(self) -> None:
        # Remove only our own file: another process may have replaced it.
        try:
            if os.path.samestat(os.stat(self._path), self._identity):
                os.unlink(self._path)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise DiskFailed(f"removing {self._path}: {os.strerror(error.errno or 0)}") from error
        self._close()


class HintEar:
    """Receives hints; all pending ones cause one call."""

    def __init__(self, path: str, heard: Callable[[], None]) -> None:
        self._door = _bound(path, socket.SOCK_DGRAM)
        self._heard = heard
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._door.fileno(), self._listen)

    def _listen(self) -> None:
        with suppress(BlockingIOError):
            for _ in range(HINTS_READ_MAX):
                self._door.recv(len(HINT))
        self._heard()

    def close(self) -> None:
        self._loop.remove_reader(self._door.fileno())
        self._door.close()


def send_hint(caller: socket.socket, path: str) -> None:
    # It fails without a listener, which looks for work when it starts, and with a full queue, which
    # holds enough hints.
    with suppress(OSError):
        caller.sendto(HINT, path)


def hint_once(path: str) -> None:
    """Send one hint, from a process without a socket for hints, such as a command."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as caller:
        send_hint(caller, path)
