"""The service manager that started this process, as sd_notify(3) speaks to it."""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress

NOTIFY_SOCKET = "NOTIFY_SOCKET"
READY = "READY=1"
RELOADING = "RELOADING=1"
STOPPING = "STOPPING=1"
ALIVE = "WATCHDOG=1"


class ServiceManager:
    """Without one that wants to hear of us, nothing is said."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._address = environment.get(NOTIFY_SOCKET, "").replace("@", "\0", 1)
        self.watchdog_seconds = _watchdog_seconds(environment)  # None: it does not watch this process
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)

    def say(self, *states: str) -> None:
        """Lost if it does not read: the next statement replaces this one."""
        if self._address.startswith(("/", "\0")):
            with suppress(OSError):
                self._socket.sendto("\n".join(states).encode(), self._address)

    def close(self) -> None:
        self._socket.close()


def status(text: str) -> str:
    """A line for `systemctl status`."""
    return f"STATUS={' '.join(text.split())}"


def still_starting(seconds: int) -> str:
    """The start may take so much longer than its time-out says."""
    return f"EXTEND_TIMEOUT_USEC={seconds * 1_000_000}"


def _watchdog_seconds(environment: Mapping[str, str]) -> float | None:
    microseconds = environment.get("WATCHDOG_USEC", "")
    meant = environment.get("WATCHDOG_PID", str(os.getpid()))
    if not microseconds.isdecimal() or int(microseconds) == 0 or meant != str(os.getpid()):
        return None
    return int(microseconds) / 1_000_000
