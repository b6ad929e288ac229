"""The socket of systemd's journal, where standard error leads there.

A service's standard error is a stream of lines; the socket takes entries with fields. Connected once,
before a role closes itself in: afterwards nothing need be opened.
"""

import os
import socket
from collections.abc import Mapping

JOURNAL_SOCKET = "/run/systemd/journal/socket"
STREAM_VARIABLE = "JOURNAL_STREAM"  # device:inode of standard error, systemd.exec(5)


class Journal:
    """Sends entries. `send` blocks while the journal is busy."""

    def __init__(self, path: str = JOURNAL_SOCKET) -> None:
        """Raises OSError if it cannot be reached."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            self._socket.connect(path)
        except OSError:
            self._socket.close()
            raise

    @property
    def descriptor(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def send(self, entry: bytes) -> bool:
        """Whether the journal took the entry; if not, a line on standard error may still reach it."""
        try:
            self._socket.send(entry)
        except OSError:
            return False
        return True


def journal_of(environment: Mapping[str, str], descriptor: int, path: str = JOURNAL_SOCKET) -> Journal | None:
    """The journal, if `descriptor` leads there and its socket can be reached."""
    try:
        status = os.fstat(descriptor)
        leads = environment.get(STREAM_VARIABLE) == f"{status.st_dev}:{status.st_ino}"
        return Journal(path) if leads else None
    except OSError:
        return None
