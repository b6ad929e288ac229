"""Read what the owner wrote by hand, a letter or a foreword, from a file or standard input."""

import sys
from dataclasses import dataclass
from typing import BinaryIO

from secondpost.cli.command import Ending, Exit
from secondpost.compose.markdown import markdown_faults, words_of

WORDS_OCTETS_MAX = 64 << 10  # an issue's HTML may have 80,000 octets
SUBJECT_CHARACTERS_MAX = 200
FAULTS_SHOWN_MAX = 10
STANDARD_INPUT = "-"
_FENCE = "---"


@dataclass(frozen=True, slots=True)
class OwnWords:
    subject: str  # of the front matter; "" without one
    text: str  # Markdown


def own_words(path: str) -> OwnWords:
    """Read and check a Markdown file. Raises Ending, which names the place and the remedy."""
    name = "standard input" if path == STANDARD_INPUT else path
    try:
        text = _read(path, name).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise Ending(f"{name}, line {line}: this is not UTF-8: save the file as UTF-8", Exit.NO) from None
    if "\0" in text:
        raise Ending(f"{name} is not a text: it contains zero bytes", Exit.NO)
    found, lines_before = _split(text.replace("\r\n", "\n"), name)
    faults = markdown_faults(found.text)
    if len(faults) > 0:
        shown = [f"line {fault.line + lines_before}: {fault.reason}" for fault in faults[:FAULTS_SHOWN_MAX]]
        more = [f"and {len(faults) - len(shown)} more"] if len(faults) > len(shown) else []
        raise Ending("\n".join([f"{name} cannot be mailed like this:", *shown, *more]), Exit.NO)
    if len(words_of(found.text)) == 0:
        raise Ending(f"{name} has no words that readers would see: nothing was done", Exit.NO)
    return found


def _read(path: str, name: str) -> bytes:
    if path == STANDARD_INPUT:
        return _bounded(sys.stdin.buffer, name)
    try:
        with open(path, "rb") as file:
            return _bounded(file, name)
    except OSError as error:
        raise Ending(f"{path} cannot be read: {error.strerror}", Exit.NO) from None


def _bounded(file: BinaryIO, name: str) -> bytes:
    octets = file.read(WORDS_OCTETS_MAX + 1)
    if len(octets) > WORDS_OCTETS_MAX:
        text = f"{name} is larger than {WORDS_OCTETS_MAX:,} octets: shorten it, and link to the rest"
        raise Ending(text, Exit.NO)
    return octets


def _split(text: str, name: str) -> tuple[OwnWords, int]:
    """Front matter and text, and the number of lines before the text."""
    lines = text.split("\n")
    if lines[0].rstrip() != _FENCE:
        return OwnWords("", text), 0
    ends = [number for number, line in enumerate(lines[1:], 1) if line.rstrip() == _FENCE]
    if len(ends) == 0:
        raise Ending(f"{name}, line 1: the front matter has no end: add a line of {_FENCE}", Exit.NO)
    subject = ""
    for number, line in enumerate(lines[1 : ends[0]], 2):
        key, colon, value = line.partition(":")
        if len(line.strip()) == 0 or line.startswith("#"):
            continue
        if key.strip() != "subject" or colon == "":
            reason = "the front matter may only have a subject: leave out the rest"
            raise Ending(f"{name}, line {number}: {reason}", Exit.NO)
        subject = _unquoted(value.strip())
    return OwnWords(subject, "\n".join(lines[ends[0] + 1 :])), ends[0] + 1


def _unquoted(value: str) -> str:
    is_quoted = len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1].strip() if is_quoted else value
