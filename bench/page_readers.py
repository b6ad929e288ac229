"""Readers who look themselves up and unsubscribe at a steady rate, and how long each waits."""

import http.client
import threading
import time
from types import TracebackType
from typing import Final, Self

from bench.load import LoadFailed
from bench.measure import percentile_99
from secondpost.protocols.tokens import KeyRing, Purpose, Token

PER_SECOND: Final = 10.0  # pairs of a look-up and an unsubscription
ANSWER_SECONDS_MAX: Final = 60.0
ONE_CLICK: Final = b"List-Unsubscribe=One-Click"  # RFC 8058 §3.1
FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


class PageReaders:
    """One connection to the web role; each reader from `first` on looks and leaves once."""

    def __init__(self, port: int, links: KeyRing, first: int) -> None:
        self._port = port
        self._links = links
        self._next = first
        self._over = threading.Event()
        self._looks: list[float] = []
        self._leaves: list[float] = []
        self._errors: list[Exception] = []
        self._thread = threading.Thread(target=self._visit, daemon=True)

    def _visit(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=ANSWER_SECONDS_MAX)
        try:
            due = time.monotonic()
            while not self._over.is_set():
                reader = self._next
                self._next += 1
                data = self._links.write(Token(Purpose.ME, reader, 0))
                self._looks.append(self._asked(connection, "GET", f"/me/{data}"))
                leave = self._links.write(Token(Purpose.LEAVE, reader, 0))
                self._leaves.append(self._asked(connection, "POST", f"/leave/{leave}", ONE_CLICK))
                due = max(due + 1 / PER_SECOND, time.monotonic())
                self._over.wait(due - time.monotonic())
        except (OSError, http.client.HTTPException, LoadFailed) as error:
            self._errors.append(error)
        finally:
            connection.close()

    @staticmethod
    def _asked(
        connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None
    ) -> float:
        begun = time.monotonic()
        connection.request(method, path, body, FORM if body is not None else {})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise LoadFailed(f"{method} of a reader's page was answered with {answer.status}")
        return time.monotonic() - begun

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(ANSWER_SECONDS_MAX)
        if len(self._errors) > 0 and error is None:
            raise self._errors[0]

    @property
    def left(self) -> int:
        """Readers who unsubscribed."""
        return len(self._leaves)

    @property
    def p99s(self) -> tuple[float, float]:
        """Seconds, 99th percentile: of a look-up, of an unsubscription."""
        return percentile_99(self._looks), percentile_99(self._leaves)
