"""Cuts a log into blocks of whole lines, and finds the lines in a block that are worth a look.

The look is a handful of searches over the octets of the block: nearly all lines of a log are ordinary,
and are never taken apart.
"""

import re
from collections.abc import Iterator

BLOCK_OCTETS = 256 * 1024
LINE_OCTETS_MAX = 64 * 1024  # what is longer is cut here

# Parts of lines in which a server says what it disliked, in lower case.
_KINDS = (
    b"bad-input",
    b"on session",
    b"synta",  # illegal address syntax, SMTP syntax error, syntactically invalid
    b"command from",
    b"command pipelining",
    b"request longer than",
    b"input too long",
    b"bare <lf>",
    b"bare linefeed",
    b"smtp protocol",
    b"smtp call from",
    b"unqualified ",
    b"open proxy",
    b" etrn ",
    b" vrfy ",
    b" expn ",
    b'received" headers',
    b'received\\" headers',
    b"too many hops",
    b"cannot mail directly",
    b"authenticat",
    b"auth failure",
    b"protocol-fault ",
    b"attack",
    b"header ",
    b'"message":[',  # the octets of a text that is no UTF-8 are written as numbers
)
# What attacks have in them wherever they stand.
_TEXTS = (
    b"x2f",
    b"script",
    b"union",
    b"sleep",
    b"waitfor",
    b"../",
    b"etc/passwd",
    b"/dev/tcp",
    b"decode@",
    b' <= "',
    b'** "',
    b'> "',
)
# The same below an octet that is rare in logs: one octet is sought much faster than two.
_RARE: tuple[tuple[bytes, tuple[bytes, ...]], ...] = (
    (b"`", (b"`",)),
    (b"$", (b"${", b"$(", b"$ifs")),
    (b"{", (b"{{", b"{%", b"#{", b"){", b") {")),
    (b"%", (b"<%", b"%2e%2e", b"%0d", b"%0a")),
    (b"+", (b"+:",)),
)
# Each begins with fixed octets, which makes the search quick: an address in brackets with what ordinary
# ones do not have; a command that OpenSMTPD refused and that is none of the usual ones; the name of a
# scanner.
_ODD = (
    re.compile(rb"<(?!=)[^<>\n]{0,512}?[;|&`\\\"'(){}%<]"),
    re.compile(rb"command=\\?\"(?!rcpt|mail|data|starttls|rset|quit|noop)"),  # quoted again in the journal
    re.compile(rb"helo=<?(?:masscan|zmap|nmap|openvas|nessus|qualys|zgrab|shodan|censys|nuclei|checktls)"),
)


class LogLines:
    """Whole lines of octets that come in pieces; of too long a line the rest is left out."""

    def __init__(self) -> None:
        self._rest = b""
        self._skipping = False
        self.cut = 0  # lines that were too long

    def fed(self, piece: bytes) -> bytes:
        """The lines that are whole now, each with its line end."""
        if self._skipping:
            end = piece.find(b"\n")
            if end < 0:
                return b""
            piece, self._skipping = piece[end + 1 :], False
        end = piece.rfind(b"\n") + 1
        if end > 0:
            lines, self._rest = self._rest + piece[:end], piece[end:]
        else:
            lines, self._rest = b"", self._rest + piece
        if len(self._rest) > LINE_OCTETS_MAX:
            lines += self._rest[:LINE_OCTETS_MAX] + b"\n"
            self._rest, self._skipping = b"", True
            self.cut += 1
        return lines

    def ended(self) -> bytes:
        """The last line, if it had no end."""
        rest, self._rest = self._rest, b""
        return rest + b"\n" if len(rest) > 0 else b""


def worth_a_look(block: bytes) -> list[int]:
    """Where the lines begin that may be of an attack, in order."""
    lower = block.lower()
    starts: set[int] = set()
    there = (mark for octet, marks in _RARE if octet in lower for mark in marks)
    for mark in (*_KINDS, *_TEXTS, *there):
        starts.update(_lines_with(lower, mark))
    for form in _ODD:
        starts.update(_lines_like(lower, form))
    return sorted(starts)


def _lines_with(lower: bytes, mark: bytes) -> Iterator[int]:
    at = lower.find(mark)
    while at >= 0:
        yield lower.rfind(b"\n", 0, at) + 1
        end = lower.find(b"\n", at)
        if end < 0:
            return
        at = lower.find(mark, end)


def _lines_like(lower: bytes, form: re.Pattern[bytes]) -> Iterator[int]:
    found = form.search(lower)
    while found is not None:
        yield lower.rfind(b"\n", 0, found.start()) + 1
        end = lower.find(b"\n", found.start())
        found = form.search(lower, end) if end >= 0 else None
