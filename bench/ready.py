"""Waits for a server's greeting, and finds free ports."""

import contextlib
import socket
import subprocess
import time
from collections.abc import Callable
from typing import Final

LOOPBACK: Final = "127.0.0.1"


class NotReady(Exception):
    """The server ended or did not greet in time; the text is its output."""


def free_port() -> int:
    """A port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def greets(port: int, address: str = LOOPBACK) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=2) as connection:
        if connection.recv(512).startswith(b"220"):
            connection.sendall(b"QUIT\r\n")
            connection.recv(512)
            return True
    return False


def wait_until_greeted(
    port: int,
    process: subprocess.Popen[bytes],
    seconds_max: float,
    trouble: Callable[[], str],
    address: str = LOOPBACK,
) -> None:
    ends = time.monotonic() + seconds_max
    while not greets(port, address):
        if process.poll() is not None:
            raise NotReady(f"ended with {process.returncode} before it greeted:\n{trouble()}")
        if time.monotonic() > ends:
            raise NotReady(f"no greeting on port {port} within {seconds_max:.0f} s:\n{trouble()}")
        time.sleep(0.02)
