"""Reads the dialogue files and replays them to a core: whole, byte by byte, and at every split.

`C:` is a line of the client, `S:` one of the server; both end in CRLF, `C+` and `S+` do not. `>` is
a method call by our own driver, `*` an event that it noted, `#` a comment, and `option NAME=VALUE`
sets up the core. The peer's lines come before our core's answers to them; the peer's next line
begins the next exchange. Escapes: \\r \\n \\t \\0 \\xNN \\\\ and \\{TEXT*COUNT}.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

DIALOGUES = Path(__file__).parent / "dialogues"
_ESCAPE = re.compile(r"\\(?:\{(?P<text>[^{}]+)\*(?P<count>\d+)\}|x(?P<hex>[0-9a-fA-F]{2})|(?P<one>.))")
_ONE = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\"}


class Driver(Protocol):
    """Runs the conversation around a core."""

    def receive(self, data: bytes) -> None: ...

    def act(self, verb: str) -> None: ...

    def sent(self) -> bytes:
        """What our core sent since the last call."""
        ...

    def noted(self) -> list[str]:
        """The events of the core since the last call."""
        ...


@dataclass(frozen=True, slots=True)
class Act:
    """A method call by our own driver."""

    verb: str


@dataclass(frozen=True, slots=True)
class Exchange:
    said: tuple[bytes | Act, ...]
    answer: bytes
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dialogue:
    name: str
    options: dict[str, str]
    exchanges: tuple[Exchange, ...]

    @property
    def splits(self) -> Iterator[tuple[int, int, int]]:
        """(exchange, part, octet) of every place where the peer's bytes can be split in two."""
        if self.options.get("splits") == "no":
            return
        for number, exchange in enumerate(self.exchanges):
            for index, part in enumerate(exchange.said):
                if isinstance(part, bytes):
                    step = 1 + len(part) // 1000  # long lines matter for their length only
                    yield from ((number, index, octet) for octet in range(1, len(part), step))


def unescaped(text: str) -> bytes:
    """Replace escapes; other characters become UTF-8."""
    return _unescaped(text.encode("utf-8").decode("latin-1")).encode("latin-1")


def _unescaped(text: str) -> str:
    """Replace escapes by characters that stand for one octet each."""

    def plain(match: re.Match[str]) -> str:
        if match["text"] is not None:
            return _unescaped(match["text"]) * int(match["count"])
        if match["hex"] is not None:
            return chr(int(match["hex"], 16))
        return _ONE[match["one"]]

    return _ESCAPE.sub(plain, text)


def escaped(data: bytes) -> str:
    text = data.decode("latin-1").replace("\\", "\\\\")
    text = text.replace("\r", "\\r").replace("\n", "\\n").replace("\0", "\\0")
    return "".join(c if " " <= c <= "~" else f"\\x{ord(c):02x}" for c in text)


def read_dialogue(path: Path, ours: str) -> Dialogue:
    """Read a dialogue file. `ours`: the letter of the side that the core plays."""
    options: dict[str, str] = {}
    exchanges: list[Exchange] = []
    said: list[bytes | Act] = []
    answer = b""
    notes: list[str] = []
    answered = False
    for line in path.read_text(encoding="utf-8").splitlines():
        mark, text = line[:2], line[3:]
        if len(line) == 0 or line.startswith("#"):
            continue
        if line.startswith("option "):
            name, _, value = line.removeprefix("option ").partition("=")
            options[name] = value
            continue
        from_us = mark[0] == ours or mark[0] == "*"
        if answered and not from_us:
            exchanges.append(Exchange(tuple(said), answer, tuple(notes)))
            said, answer, notes = [], b"", []
        answered = from_us
        if mark[0] == "*":
            notes.append(line[2:])
        elif mark[0] == ">":
            said.append(Act(line[2:]))
        elif mark[1:] in (":", "+") and mark[0] in "CS":
            data = unescaped(text) + (b"\r\n" if mark[1] == ":" else b"")
            if from_us:
                answer += data
            elif len(said) > 0 and isinstance(said[-1], bytes):
                said[-1] += data
            else:
                said.append(data)
        else:
            raise ValueError(f"{path.name}: what is {line!r}?")
    exchanges.append(Exchange(tuple(said), answer, tuple(notes)))
    return Dialogue(path.stem, options, tuple(exchanges))


Cut = Callable[[int, int, bytes], list[bytes]]


def whole(number: int, index: int, part: bytes) -> list[bytes]:
    return [part]


def byte_by_byte(number: int, index: int, part: bytes) -> list[bytes]:
    return [part[at : at + 1] for at in range(len(part))]


def cut_at(place: tuple[int, int, int]) -> Cut:
    def cut(number: int, index: int, part: bytes) -> list[bytes]:
        if (number, index) != place[:2]:
            return [part]
        return [part[: place[2]], part[place[2] :]]

    return cut


def replay(dialogue: Dialogue, driver: Driver, cut: Cut) -> list[Exchange]:
    """The exchanges with what the core actually answered."""
    heard = []
    for number, exchange in enumerate(dialogue.exchanges):
        for index, part in enumerate(exchange.said):
            if isinstance(part, Act):
                driver.act(part.verb)
            else:
                for piece in cut(number, index, part):
                    driver.receive(piece)
        heard.append(Exchange(exchange.said, driver.sent(), tuple(driver.noted())))
    return heard


def as_text(exchanges: list[Exchange], ours: str) -> str:
    """The dialogue in the form of its file, for comparison."""
    theirs = "S" if ours == "C" else "C"
    lines: list[str] = []
    for exchange in exchanges:
        for part in exchange.said:
            lines += [f"> {part.verb}"] if isinstance(part, Act) else _lines(theirs, part)
        lines += _lines(ours, exchange.answer)
        lines += [f"* {note}" for note in exchange.notes]
    return "\n".join(lines) + "\n"


def _lines(letter: str, data: bytes) -> list[str]:
    *full, rest = data.split(b"\r\n")
    lines = [f"{letter}: {escaped(line)}" for line in full]
    return [*lines, f"{letter}+ {escaped(rest)}"] if len(rest) > 0 else lines
