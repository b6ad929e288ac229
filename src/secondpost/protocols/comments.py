"""Splits the value of a structured header field into words, quoted strings and comments.

RFC 5322 §3.2.2 and §3.2.4, read leniently: what real servers write is not always well formed, and a
reader of headers must get through all of it. The text is scanned once, whatever it holds.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

COMMENT_DEPTH_MAX = 100  # deeper parentheses are read as text of the comment


class Lexeme(Enum):
    WORD = "word"  # a run of characters without blanks, quotes, parentheses and semicolons
    QUOTED = "quoted"  # without its quotes and backslashes
    COMMENT = "comment"  # without its outer parentheses and backslashes
    SEMICOLON = "semicolon"


@dataclass(frozen=True, slots=True)
class Piece:
    """`adjoins`: no blank stands between it and the piece before."""

    lexeme: Lexeme
    text: str
    adjoins: bool


def pieces_of(value: str) -> Iterator[Piece]:
    """The pieces of an unfolded value. A quote or comment that is never closed ends with the value."""
    at, end_of_last = 0, -1
    while at < len(value):
        character = value[at]
        if character.isspace():
            at += 1
            continue
        begin = at
        match character:
            case ";":
                piece, at = (Lexeme.SEMICOLON, ";"), at + 1
            case '"':
                text, at = _quoted(value, at + 1)
                piece = (Lexeme.QUOTED, text)
            case "(":
                text, at = _comment(value, at + 1)
                piece = (Lexeme.COMMENT, text)
            case _:
                at = _end_of_word(value, at)
                piece = (Lexeme.WORD, value[begin:at])
        yield Piece(*piece, adjoins=begin == end_of_last)
        end_of_last = at


def _end_of_word(value: str, at: int) -> int:
    """A closing parenthesis that closes nothing is read as part of a word."""
    at += 1
    while at < len(value) and not value[at].isspace() and value[at] not in ';"(':
        at += 1
    return at


def _quoted(value: str, at: int) -> tuple[str, int]:
    """The text from after the opening quote, and where the value goes on."""
    text: list[str] = []
    while at < len(value) and value[at] != '"':
        if value[at] == "\\":
            at += 1
        text.append(value[at : at + 1])
        at += 1
    return "".join(text), at + 1


def _comment(value: str, at: int) -> tuple[str, int]:
    text: list[str] = []
    depth = 1
    while at < len(value):
        character = value[at]
        if character == "\\":
            at += 1
            character = value[at : at + 1]
        elif character == "(" and depth < COMMENT_DEPTH_MAX:
            depth += 1
        elif character == ")":
            depth -= 1
            if depth == 0:
                break
        text.append(character)
        at += 1
    return "".join(text), at + 1
