"""A system log for peers that write to /dev/log: a file as rsyslog keeps it, in the traditional form."""

import contextlib
import os
import re
import socket
import threading
from pathlib import Path
from typing import Final

HOST: Final = b"peer"
_DATAGRAM = re.compile(rb"(?:<\d+>)?(\w{3} [ \d]\d \d\d:\d\d:\d\d) (.*)", re.DOTALL)


class SystemLog:
    """Receives datagrams until it is closed; `file` has the lines."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "maillog"
        self._socket_path = folder / "log.socket"
        self._empty = folder / "dev"
        self._empty.mkdir()
        (self._empty / "log").touch()  # what the socket is mounted over
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self._socket_path))
        os.chmod(self._socket_path, 0o666)
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()

    def within(self, command: list[str]) -> list[str]:
        """The command in a mount namespace of its own, whose /dev/log is this."""
        script = (
            f'mount -t overlay overlay -o "lowerdir={self._empty}:/dev" /dev && '
            f'mount --bind "{self._socket_path}" /dev/log && exec "$@"'
        )
        return ["sh", "-c", script, "room", *command]

    def _receive(self) -> None:
        with open(self.file, "ab", buffering=0) as file:
            while len(datagram := self._socket.recv(65_536)) > 0:
                match = _DATAGRAM.fullmatch(datagram.rstrip(b"\n\0"))
                assert match is not None, datagram
                file.write(match[1] + b" " + HOST + b" " + match[2].replace(b"\n", b"#012") + b"\n")

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # ends recv
        self._thread.join(5)
        self._socket.close()
