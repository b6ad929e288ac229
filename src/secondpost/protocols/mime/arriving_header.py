"""The header of a message that arrives: held back until it is whole, then given on without the
Authentication-Results that claim to be ours (RFC 8601 §5).

Only we may say what we found, so a field of that name under our own id is a forgery, wherever it
comes from. So is a first line that begins with a blank: it would continue the field that we put above.
All other fields are given on as they came.
"""

import re

from secondpost.protocols.authentication_results import without_claims

HEADER_OCTETS_MAX = 256 * 1024  # held in memory, as much as a body may have unsaved

_END = b"\r\n\r\n"
_CONTINUED = re.compile(rb"(?:[ \t][^\n]*(?:\n|\Z))+")  # linear: each line begins with a blank
_RESULTS = b"authentication-results"


class HeaderTooLarge(Exception):
    """The header does not end within HEADER_OCTETS_MAX."""


class ArrivingHeader:
    """Takes pieces with CRLF line ends only. `server`: our id, in lower case."""

    __slots__ = ("_held", "_server", "forged", "raw")

    def __init__(self, server: str) -> None:
        self._server = server
        self._held: bytearray | None = bytearray()  # None: the header was given on
        self.raw = b""  # as received but for such a line, once it is whole, with its last CRLF
        self.forged = 0  # fields left out, and first lines that continue one

    def read(self, data: bytes) -> tuple[bytes, bytes]:
        """The octets of the header that can be given on, and those after it, from the empty line on.
        Raises HeaderTooLarge.
        """
        if self._held is None:
            return b"", data
        searched = max(0, len(self._held) - len(_END) + 1)
        self._held += data
        held = self._held
        if held.startswith(b"\r\n"):
            return self._given_on(b""), bytes(held)
        end = held.find(_END, searched)
        if end > HEADER_OCTETS_MAX or (end < 0 and len(held) > HEADER_OCTETS_MAX):
            raise HeaderTooLarge
        if end < 0:
            return b"", b""
        return self._given_on(bytes(held[: end + 2])), bytes(held[end + 2 :])

    def end(self) -> bytes:
        """The header of a message that ends without a body."""
        return b"" if self._held is None else self._given_on(bytes(self._held))

    def _given_on(self, header: bytes) -> bytes:
        header = self._without_continued(header)
        self.raw, self._held = header, None
        if _RESULTS not in header.lower():
            return header
        unclaimed = without_claims(header, (self._server,))
        self.forged += len(unclaimed.removed)
        return unclaimed.octets

    def _without_continued(self, header: bytes) -> bytes:
        continued = _CONTINUED.match(header)
        if continued is None:
            return header
        self.forged += 1
        return header[continued.end() :]
