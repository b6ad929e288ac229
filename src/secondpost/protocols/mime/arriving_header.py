"""The header of a message that arrives: held back until it is whole, then given on without the
Authentication-Results that claim to be ours (RFC 8601 §5).

Only we may say what we found, so a field of that name under our own id is a forgery, wherever it
comes from. All other fields are given on as they came.
"""

import re

from secondpost.protocols.comments import Lexeme, pieces_of

HEADER_OCTETS_MAX = 256 * 1024  # held in memory, as much as a body may have unsaved

_END = b"\r\n\r\n"
_FIELD_START = re.compile(rb"^(?=[^ \t\r\n])", re.MULTILINE)
_RESULTS = b"authentication-results"


class HeaderTooLarge(Exception):
    """The header does not end within HEADER_OCTETS_MAX."""


class ArrivingHeader:
    """Takes pieces with CRLF line ends only. `server`: our id, in lower case."""

    __slots__ = ("_held", "_server", "forged", "raw")

    def __init__(self, server: str) -> None:
        self._server = server
        self._held: bytes | None = b""  # None: the header was given on
        self.raw = b""  # as received, once it is whole, with the CRLF of its last field
        self.forged = 0  # fields left out

    @property
    def is_whole(self) -> bool:
        return self._held is None

    def read(self, data: bytes) -> tuple[bytes, bytes]:
        """The octets of the header that can be given on, and those of the body. Raises HeaderTooLarge."""
        if self._held is None:
            return b"", data
        begun = len(self._held)
        held = data if begun == 0 else self._held + data
        if held.startswith(b"\r\n"):
            return self._given_on(b""), held
        end = held.find(_END, max(0, begun - len(_END) + 1))
        if end < 0 and len(held) <= HEADER_OCTETS_MAX:
            self._held = held
            return b"", b""
        if end < 0 or end > HEADER_OCTETS_MAX:
            raise HeaderTooLarge
        return self._given_on(held[: end + 2]), held[end + 2 :]

    def end(self) -> bytes:
        """The header of a message that ends without a body."""
        return b"" if self._held is None else self._given_on(self._held)

    def _given_on(self, header: bytes) -> bytes:
        self.raw, self._held = header, None
        if _RESULTS not in header.lower():
            return header
        kept = []
        for field in _FIELD_START.split(header):
            if self._is_forged(field):
                self.forged += 1
            else:
                kept.append(field)
        return b"".join(kept)

    def _is_forged(self, field: bytes) -> bool:
        name, _, value = field.partition(b":")
        if name.strip(b" \t").lower() != _RESULTS:
            return False
        for piece in pieces_of(value.decode("utf-8", "replace")):
            if piece.lexeme in (Lexeme.WORD, Lexeme.QUOTED):
                return piece.text.lower().removesuffix(".") == self._server
        return False
