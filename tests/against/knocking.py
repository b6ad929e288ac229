"""Callers of a port, one after another, so close together that a port shut for a moment shows."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.against.network_namespaces import inside
from tests.against.systemd_machine import SystemdMachine

PAUSE_SECONDS = 0.004  # so that a restart of several seconds does not fill a queue of 1,024 callers
ANSWER_SECONDS_MAX = 120.0


@contextlib.contextmanager
def knocking(machine: SystemdMachine, port: int = 25) -> Iterator[list[str]]:
    """Yields why some did not get to the service. A connection that has been made may end with a process, as
    in every restart of a unit: then the sender comes again.
    """
    faults: list[str] = []
    ended = threading.Event()

    def call() -> None:
        with inside(Path(f"/proc/{machine.first}/ns/net")):
            while not ended.wait(PAUSE_SECONDS):
                try:
                    socket.create_connection(("127.0.0.1", port), ANSWER_SECONDS_MAX).close()
                except OSError as error:
                    faults.append(str(error))

    thread = threading.Thread(target=call)
    thread.start()
    try:
        yield faults
    finally:
        ended.set()
        thread.join(ANSWER_SECONDS_MAX)
