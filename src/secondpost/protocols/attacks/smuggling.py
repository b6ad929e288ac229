"""Looks in a body for SMTP smuggling: an end of data that only other servers accept, then a command.

Only bodies with bare line ends or NULs are searched; for others the look is one search for a NUL.
"""

from secondpost.protocols.attacks.rules import SMUGGLING

LOOKED_OCTETS_MAX = 1_000_000  # of a body with odd line ends, from the first of them on
_KEPT_OCTETS = 256  # of the last piece, since what is sought may be split; the pattern is shorter
_SAMPLE_OCTETS = 128


class SmugglingLook:
    """Takes the pieces of one body as they came, with their dot-stuffing, split anywhere."""

    __slots__ = ("_before", "_looked", "_octets_left")

    def __init__(self) -> None:
        self._before = b""
        self._looked = False  # a bare line end or a NUL was there
        self._octets_left = LOOKED_OCTETS_MAX

    def find(self, piece: bytes, *, has_odd_ends: bool) -> bytes | None:
        """The octets around the first smuggled command, once; None if there is none (yet)."""
        before = self._before
        self._before = piece if len(piece) >= _KEPT_OCTETS else (before + piece)[-_KEPT_OCTETS:]
        if not (has_odd_ends or self._looked or b"\x00" in piece):
            return None
        self._looked = True
        return self._search(before[-_KEPT_OCTETS:] + piece) if self._octets_left > 0 else None

    def _search(self, text: bytes) -> bytes | None:
        self._octets_left -= len(text)
        pattern = SMUGGLING.pattern
        found = None if pattern is None else pattern.search(text)
        if found is None:
            return None
        self._octets_left = 0
        return text[found.start() : found.start() + _SAMPLE_OCTETS]
