"""Writes quoted-printable (RFC 2045 §6.7) with holes, so that filling a hole is joining pieces.

A soft line break may stand anywhere. So each hole stands between two of them, on lines of its own,
and its value changes no byte around it. The output is 7-bit: no next hop has to convert it, which
would break the signatures.
"""

import re

from secondpost.mail.issue_content import MARKS, Hole

LINE_CHARACTERS_MAX = 75  # plus the "=" of a soft line break: RFC 2045 §6.7 (5)
SOFT_BREAK = "=\r\n"

_LINE_END = re.compile(r"\r\n|\r|\n")
_MARKED = re.compile("[{0}{1}]([^{0}{1}]*)[{0}{1}]".format(*sorted(MARKS)))
_PLAIN = re.compile(rf"[!-<>-~]{{1,{LINE_CHARACTERS_MAX}}}")
_OCTETS = tuple(
    chr(octet) if 0x20 <= octet <= 0x7E and octet != 0x3D else f"={octet:02X}" for octet in range(256)
)


class TextFault(ValueError):
    """A text that cannot become part of a mail. The message is fit for the owner."""


def pieces_and_holes(text: str) -> tuple[list[str], list[Hole]]:
    """Encode a text into its pieces and the holes between them.

    There is one more piece than holes. The first piece begins a line, the last one ends with CRLF.
    Raises TextFault for an unknown hole or invalid Unicode.
    """
    plain = _MARKED.split(text)
    try:
        holes = [Hole(name) for name in plain[1::2]]
    except ValueError as error:
        raise TextFault(f"the text has an unknown hole: {error}") from error
    pieces = [encoded(piece) for piece in plain[::2]]
    for number, piece in enumerate(pieces):
        if number > 0 and not piece.startswith("\r\n"):
            piece = SOFT_BREAK + piece
        if number < len(holes) and len(piece) > 0 and not piece.endswith("\r\n"):
            piece += SOFT_BREAK
        pieces[number] = piece
    if not pieces[-1].endswith("\r\n"):
        pieces[-1] += "\r\n"
    return pieces, holes


def encoded(text: str) -> str:
    """Encode a text; line ends become CRLF. Raises TextFault."""
    if not MARKS.isdisjoint(text):
        raise TextFault("the text has a mark of a hole that stands alone")
    try:
        return "\r\n".join(_line(line.encode("utf-8")) for line in _LINE_END.split(text))
    except UnicodeEncodeError as error:
        raise TextFault(f"the text is not Unicode: {error.reason}") from error


def filling(value: str) -> str:
    """Encode the value of a hole without white space, so that canonicalisation keeps it."""
    if _PLAIN.fullmatch(value) is not None:
        return value
    return _wrapped(["=20" if octet == 0x20 else _OCTETS[octet] for octet in value.encode("utf-8")])


def _line(octets: bytes) -> str:
    characters = [_OCTETS[octet] for octet in octets]
    if len(characters) > 0 and characters[-1] == " ":  # RFC 2045 §6.7 (3)
        characters[-1] = "=20"
    if octets.startswith(b"From "):  # mbox files separate mails by "From " and would change the line
        characters[0] = "=46"
    return _wrapped(characters)


def _wrapped(characters: list[str]) -> str:
    lines: list[str] = []
    line: list[str] = []
    length = 0
    for character in characters:
        if length + len(character) > LINE_CHARACTERS_MAX:
            lines.append("".join(line))
            line, length = [], 0
        line.append(character)
        length += len(character)
    lines.append("".join(line))
    return SOFT_BREAK.join(lines)
