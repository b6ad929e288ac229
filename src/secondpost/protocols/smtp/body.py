"""The message content between DATA and the final dot: dot-stuffing, line ends and the end of data.

Only CRLF.CRLF ends a body (RFC 5321 §4.1.1.4). Similar sequences (a dot between bare LFs, bare CRs,
CR CR LF, or with a NUL) are content: servers that treated them as the end allowed SMTP smuggling
(CVE-2023-51764 and related). All work is done on whole pieces by find, replace and count, so that
clean input needs no loop over its lines, and a piece may be split anywhere.
"""

import re

from secondpost.protocols.smtp.lines import CRLF

END_OF_BODY = b"\r\n.\r\n"
_LINE_WITH_DOT = b"\r\n."
_RECEIVED = b"\r\nreceived:"
_END_OF_HEADER = b"\r\n\r\n"
# A run of CRs with or without an LF, a CR alone, an LF alone; CRLF itself never matches. No
# alternative can fail after a long match, so the time is linear for any input.
_BARE = re.compile(rb"\r\r+\n?|\r(?!\n)|(?<!\r)\n")


class LineEnds:
    """Converts every line end to CRLF. A run of CRs, with or without an LF, is one line end."""

    __slots__ = ("_held", "bare")

    def __init__(self) -> None:
        self.bare = 0  # line ends that were not CRLF
        self._held = b""  # one CR, or two for any longer run: the next octet decides its meaning

    def normalized(self, data: bytes) -> bytes:
        if len(self._held) > 0:
            data = self._held + data
            self._held = b""
        if data.endswith(b"\r"):
            text = data.rstrip(b"\r")
            self._held = data[len(text) : len(text) + 2]
            data = text
        crlfs = data.count(CRLF)
        if data.count(b"\n") == crlfs and data.count(b"\r") == crlfs:
            return data
        data, bare = _BARE.subn(CRLF, data)
        self.bare += bare
        return data

    def rest(self) -> bytes:
        """The octets still held back at the end of the input."""
        if len(self._held) == 0:
            return b""
        self._held = b""
        self.bare += 1
        return CRLF


class DotReader:
    """Removes dot-stuffing (RFC 5321 §4.5.2) and finds the end of the body."""

    __slots__ = ("_opening", "held")

    def __init__(self) -> None:
        self.held = CRLF  # so that the first line of the body follows a CRLF like all others
        self._opening = True  # the CRLF above is not part of the body

    def content(self, data: bytes) -> tuple[bytes, bytes | None]:
        """Return the content in `data`, and the octets after the end (None before the end).

        The last octets are held back if they may be the beginning of the end.
        """
        if len(self.held) > 0:
            data = self.held + data
        dot = data.find(_LINE_WITH_DOT)  # most bodies have none before their end: one look at all of it
        end = data.find(END_OF_BODY, dot) if dot >= 0 else -1
        if end >= 0:
            after: bytes | None = data[end + len(END_OF_BODY) :]
            data = data[: end + len(CRLF)]
            self.held = b""
        else:
            after = None
            held = _octets_of_a_possible_end(data)
            self.held = data[len(data) - held :]
            data = data[: len(data) - held]
        if dot != end:
            data = data.replace(_LINE_WITH_DOT, CRLF)
        if self._opening and len(data) > 0:
            data = data[len(CRLF) :]
            self._opening = False
        return data, after


def _octets_of_a_possible_end(data: bytes) -> int:
    """How many octets at the end of `data` are the beginning of CRLF.CRLF."""
    if data.endswith(b"\n"):
        return 2 if data.endswith(CRLF) else 0
    if data.endswith(b"\r"):
        return 4 if data.endswith(b"\r\n.\r") else 1
    return 3 if data.endswith(b"\r\n.") else 0


class EndFinder:
    """Finds the end of a body whose content is discarded."""

    __slots__ = ("_held",)

    def __init__(self, reader: DotReader) -> None:
        self._held = reader.held

    def after(self, data: bytes) -> bytes | None:
        """The octets after the end of the body; None if it has not ended."""
        data = self._held + data
        end = data.find(END_OF_BODY)
        if end >= 0:
            return data[end + len(END_OF_BODY) :]
        self._held = data[-(len(END_OF_BODY) - 1) :]
        return None


class DotWriter:
    """Adds dot-stuffing and the final dot (RFC 5321 §4.5.2). Writes no bare CR or LF."""

    __slots__ = ("_begins_line", "_line_ends")

    def __init__(self) -> None:
        self._line_ends = LineEnds()
        self._begins_line = True  # whether the next octet begins a line

    def stuffed(self, data: bytes) -> bytes:
        return self._stuffed(self._line_ends.normalized(data))

    def end(self) -> bytes:
        """The rest, a CRLF unless the content ends with one, and the final dot."""
        rest = self._stuffed(self._line_ends.rest())
        return rest + (b".\r\n" if self._begins_line else b"\r\n.\r\n")

    def _stuffed(self, data: bytes) -> bytes:
        """Stuff text in which no CRLF is split: LineEnds holds back a CR at the end."""
        if len(data) == 0:
            return data
        stuffed = _doubled_dots(data, self._begins_line)
        self._begins_line = data.endswith(CRLF)
        return stuffed


def stuffed_lines(lines: bytes) -> bytes:
    """Add dot-stuffing to text that begins a line and has only CRLF line ends."""
    return _doubled_dots(lines, begins_line=True)


def _doubled_dots(data: bytes, begins_line: bool) -> bytes:
    """Double the dots that begin a line; without any the input is returned uncopied."""
    stuffed = data.replace(b"\r\n.", b"\r\n..")
    return b"." + stuffed if begins_line and data.startswith(b".") else stuffed


class ReceivedCounter:
    """Counts the Received fields of the header, to detect loops (RFC 5321 §6.3)."""

    __slots__ = ("_tail", "count")

    def __init__(self) -> None:
        self.count = 0
        self._tail: bytes | None = CRLF  # None: the header is over

    def read(self, content: bytes) -> None:
        """Count in a piece of normalised content."""
        if self._tail is None:
            return
        text = self._tail + content
        end = text.find(_END_OF_HEADER)
        header = text if end < 0 else text[:end]
        self.count += header.lower().count(_RECEIVED)
        self._tail = text[1 - len(_RECEIVED) :] if end < 0 else None
