"""The bytes between DATA and its final dot, both ways: dots, line ends and the one true end.

Only CRLF.CRLF ends a body (RFC 5321 §4.1.1.4). Everything that merely looks like it (a dot between bare
LFs, bare CRs, CR CR LF, or with a NUL) is content: servers that thought otherwise let one message smuggle
in a second (CVE-2023-51764 and its kin). All work is done on whole pieces by find, replace and count, so
that clean input never meets a loop over its lines, and a piece may be split anywhere.
"""

import re

from secondpost.protocols.smtp.lines import CRLF

END_OF_BODY = b"\r\n.\r\n"
_RECEIVED = b"\r\nreceived:"
_END_OF_HEADER = b"\r\n\r\n"
# A run of CRs with or without an LF, a CR alone, an LF alone; CRLF itself never matches. No alternative
# can fail after a long match, so time is linear whatever comes.
_BARE = re.compile(rb"\r\r+\n?|\r(?!\n)|(?<!\r)\n")


class LineEnds:
    """Makes every line end CRLF. A run of CRs, with an LF after it or not, is one line end."""

    __slots__ = ("_held", "bare")

    def __init__(self) -> None:
        self.bare = 0  # line ends that were not CRLF
        self._held = b""  # one CR, or two for any longer run: what follows decides what it is

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
        """What is still held back when nothing more comes."""
        if len(self._held) == 0:
            return b""
        self._held = b""
        self.bare += 1
        return CRLF


class DotReader:
    """Takes the dots of transparency away (RFC 5321 §4.5.2) and finds the end."""

    __slots__ = ("_opening", "held")

    def __init__(self) -> None:
        self.held = CRLF  # the first line of the body stands after a line end, like every other
        self._opening = True  # that line end is not part of the body

    def content(self, data: bytes) -> tuple[bytes, bytes | None]:
        """The content in `data`, and what came after the end of the body, or None: it has not ended.

        A tail that may yet become the end is held back.
        """
        if len(self.held) > 0:
            data = self.held + data
        end = data.find(END_OF_BODY)
        if end >= 0:
            after: bytes | None = data[end + len(END_OF_BODY) :]
            data = data[: end + len(CRLF)]
            self.held = b""
        else:
            after = None
            held = _octets_of_a_possible_end(data)
            self.held = data[len(data) - held :]
            data = data[: len(data) - held]
        data = data.replace(b"\r\n.", CRLF)
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
    """Looks for the end of a body that nobody wants any more."""

    __slots__ = ("_held",)

    def __init__(self, reader: DotReader) -> None:
        self._held = reader.held

    def after(self, data: bytes) -> bytes | None:
        """What came after the end of the body, or None: it has not ended."""
        data = self._held + data
        end = data.find(END_OF_BODY)
        if end >= 0:
            return data[end + len(END_OF_BODY) :]
        self._held = data[-(len(END_OF_BODY) - 1) :]
        return None


class DotWriter:
    """Doubles the dots that begin a line and writes the end (RFC 5321 §4.5.2). Emits no bare CR or LF."""

    __slots__ = ("_begins_line", "_line_ends")

    def __init__(self) -> None:
        self._line_ends = LineEnds()
        self._begins_line = True  # what comes next

    def stuffed(self, data: bytes) -> bytes:
        return self._stuffed(self._line_ends.normalized(data))

    def end(self) -> bytes:
        """The rest, a CRLF if the content has none at its end, and the final dot."""
        rest = self._stuffed(self._line_ends.rest())
        return rest + (b".\r\n" if self._begins_line else b"\r\n.\r\n")

    def _stuffed(self, data: bytes) -> bytes:
        """Of whole line ends: no CRLF is cut in two, since `LineEnds` holds a CR back."""
        if len(data) == 0:
            return data
        stuffed = _doubled_dots(data, self._begins_line)
        self._begins_line = data.endswith(CRLF)
        return stuffed


def stuffed_lines(lines: bytes) -> bytes:
    """The same for text that begins a line and has no line ends but CRLF."""
    return _doubled_dots(lines, begins_line=True)


def _doubled_dots(data: bytes, begins_line: bool) -> bytes:
    """Clean input is not copied."""
    stuffed = data.replace(b"\r\n.", b"\r\n..")
    return b"." + stuffed if begins_line and data.startswith(b".") else stuffed


class ReceivedCounter:
    """Counts the Received fields of the header, for the sake of loops (RFC 5321 §6.3)."""

    __slots__ = ("_tail", "count")

    def __init__(self) -> None:
        self.count = 0
        self._tail: bytes | None = CRLF  # None: the header is over

    def read(self, content: bytes) -> None:
        """Normalised content, in pieces."""
        if self._tail is None:
            return
        text = self._tail + content
        end = text.find(_END_OF_HEADER)
        header = text if end < 0 else text[:end]
        self.count += header.lower().count(_RECEIVED)
        self._tail = text[1 - len(_RECEIVED) :] if end < 0 else None
