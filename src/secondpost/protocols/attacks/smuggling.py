"""Looks in a body for SMTP smuggling: an end of data that only other servers accept, then a command.

Only bodies with bare line ends or NULs are searched; for others the look is one search for a NUL.
"""

from secondpost.protocols.attacks.rules import SMUGGLING

LOOKED_OCTETS_MAX = 1_000_000  # of a body with odd line ends, from the first of them on
_KEPT_OCTETS = 256  # of the last piece, since what is sought may be split; the pattern is shorter
_SAMPLE_OCTETS = 128


class SmugglingLook:
    """Takes the pieces of one body as they came, with their dot-stuffing, split anywhere."""

    __slots__ = ("_before", "_is_odd", "_looked", "_over")

    def __init__(self) -> None:
        self._before = b""
        self._is_odd = False
        self._looked = 0
        self._over = False

    def find(self, piece: bytes, *, has_odd_ends: bool) -> bytes | None:
        """The octets around the first smuggled command, once; None if there is none (yet)."""
        if self._over:
            return None
        self._is_odd = self._is_odd or has_odd_ends or b"\x00" in piece
        before = self._before
        self._before = (
            piece[-_KEPT_OCTETS:] if len(piece) >= _KEPT_OCTETS else (before + piece)[-_KEPT_OCTETS:]
        )
        return self._search(before + piece) if self._is_odd else None

    def _search(self, text: bytes) -> bytes | None:
        self._looked += len(text)
        pattern = SMUGGLING.pattern
        found = None if pattern is None else pattern.search(text)
        self._over = found is not None or self._looked > LOOKED_OCTETS_MAX
        return None if found is None else text[found.start() : found.start() + _SAMPLE_OCTETS]
