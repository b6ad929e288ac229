"""Does the header of a message hold UTF-8 (RFC 6532)? It is looked at while it comes in, piece by piece.

Only the message's own header: RFC 6531 §3.6 does not ask that the parts of its body be read.
"""

_END = b"\r\n\r\n"


class HeaderLook:
    """Pieces with CRLF alone for line ends go in; what comes after the header costs nothing."""

    __slots__ = ("_before", "_ended", "has_utf8")

    def __init__(self) -> None:
        self._before = b"\r\n"  # a message may begin with the empty line
        self._ended = False
        self.has_utf8 = False

    def add(self, data: bytes) -> None:
        if self._ended:
            return
        data = self._before + data
        end = data.find(_END)
        self._ended = end >= 0
        self.has_utf8 = self.has_utf8 or not (data[:end] if self._ended else data).isascii()
        self._before = data[-len(_END) + 1 :]
