"""Clients that send messages at a steady rate, and measure how long each one takes."""

import socket
import threading
import time
from types import TracebackType
from typing import Final, Self

from bench.load import LoadFailed
from bench.measure import percentile_99

CALLERS: Final = 5
MESSAGES_PER_SECOND: Final = 50.0  # all clients together
ANSWER_SECONDS_MAX: Final = 60.0


class Callers:
    """Clients with one connection each. If the server is late, the next message is late too."""

    def __init__(self, port: int, sender: str, recipient: str, size: int) -> None:
        body = ("x" * 70 + "\r\n") * (size // 72)
        head = "Subject: a message\r\nFrom: <someone@sender.example>\r\n\r\n"
        self._port = port
        self._envelope = f"MAIL FROM:<{sender}>\r\nRCPT TO:<{recipient}>\r\nDATA\r\n".encode()
        self._data = f"{head}{body}.\r\n".encode()
        self._over = threading.Event()
        self._waits: list[float] = []
        self._errors: list[Exception] = []
        self._threads = [threading.Thread(target=self._call, daemon=True) for _ in range(CALLERS)]

    def _call(self) -> None:
        try:
            with socket.create_connection(("127.0.0.1", self._port), ANSWER_SECONDS_MAX) as connection:
                answers = connection.makefile("rb")
                self._expect(answers.readline(), b"220")
                connection.sendall(b"HELO caller.sender.example\r\n")
                self._expect(answers.readline(), b"250")
                due = time.monotonic()
                while not self._over.is_set():
                    begun = time.monotonic()
                    connection.sendall(self._envelope)
                    for code in (b"250", b"250", b"354"):
                        self._expect(answers.readline(), code)
                    connection.sendall(self._data)
                    self._expect(answers.readline(), b"250")
                    ended = time.monotonic()
                    self._waits.append(ended - begun)
                    due = max(due + CALLERS / MESSAGES_PER_SECOND, ended)
                    self._over.wait(due - ended)
        except (OSError, LoadFailed) as error:
            self._errors.append(error)

    @staticmethod
    def _expect(line: bytes, code: bytes) -> None:
        if not line.startswith(code):
            raise LoadFailed(f"{code.decode()} was expected, and {line!r} came")

    def __enter__(self) -> Self:
        self._begun = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(ANSWER_SECONDS_MAX)
        self._seconds = time.monotonic() - self._begun
        if len(self._errors) > 0 and error is None:
            raise self._errors[0]

    @property
    def rate(self) -> float:
        """Messages per second, once it is over."""
        return len(self._waits) / self._seconds

    @property
    def p99(self) -> float:
        """The 99th percentile of the seconds from MAIL to the 250 after the dot."""
        return percentile_99(self._waits)
