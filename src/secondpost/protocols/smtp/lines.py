"""Splits a stream of bytes into lines of bounded length, however the stream was cut.

Both SMTP cores read through this. A line ends at LF; the reader checks for the CR before it, so
that a bare LF can be refused instead of hanging the session.
"""

CRLF = b"\r\n"


class OutOfTurn(RuntimeError):
    """A bug in our own code: a method was called in a state that does not allow it."""


class EndlessLine(Exception):
    """The peer sent more octets without a line end than a line may have."""


class LineBuffer:
    """Received bytes that were not read yet."""

    __slots__ = ("_at", "_data", "octets_max")

    def __init__(self, octets_max: int) -> None:
        """`octets_max`: the longest line, including its line end."""
        self.octets_max = octets_max
        self._data = b""
        self._at = 0

    def __len__(self) -> int:
        return len(self._data) - self._at

    def receive(self, data: bytes) -> None:
        if self._at == len(self._data):
            self._data = data
        else:
            self._data = self._data[self._at :] + data
        self._at = 0

    def take_line(self) -> bytes | None:
        """The next line with its LF; None if it is not complete. Raises EndlessLine."""
        end = self._data.find(b"\n", self._at, self._at + self.octets_max) + 1
        if end == 0:
            if len(self) >= self.octets_max:
                raise EndlessLine
            return None
        line = self._data[self._at : end]
        self._at = end
        return line

    def begins_binary(self) -> bool:
        """Whether the next octet is neither printable ASCII nor part of a line end."""
        first = self._data[self._at : self._at + 1]
        return first not in b"\r\n" and not b" " <= first <= b"~"

    def begins_empty(self) -> bool:
        """Whether the next octet is part of a line end."""
        return self._data[self._at : self._at + 1] in (b"\r", b"\n")

    def peek(self, octets: int) -> bytes:
        """The next octets, at most so many; they stay."""
        return self._data[self._at : self._at + octets]

    def around(self, octets_before: int, octets_after: int) -> bytes:
        """The octets around the place read to, from the begin of a line. Lines of earlier input are gone."""
        begin = self._at - octets_before
        if begin > 0:
            begin = self._data.find(b"\n", begin, self._at) + 1 or self._at
        return self._data[max(0, begin) : self._at + octets_after]

    def take_all(self) -> bytes:
        rest = self._data[self._at :] if self._at > 0 else self._data
        self.clear()
        return rest

    def give_back(self, data: bytes) -> None:
        """Put back the unused rest of `take_all`."""
        self._data = data
        self._at = 0

    def clear(self) -> None:
        self._data = b""
        self._at = 0
