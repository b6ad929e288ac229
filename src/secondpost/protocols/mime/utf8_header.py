"""Finds out whether a message's header contains UTF-8 (RFC 6532), piece by piece as it arrives.

Only the message's own header: RFC 6531 §3.6 does not require reading the parts of its body.
"""

_END = b"\r\n\r\n"


class HeaderLook:
    """Takes pieces with CRLF line ends only; does no work after the end of the header."""

    __slots__ = ("_before", "_ended", "has_utf8")

    def __init__(self) -> None:
        self._before = b"\r\n"  # so that a message that begins with the empty line has an empty header
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
