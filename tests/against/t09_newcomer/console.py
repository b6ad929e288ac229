"""The guide as a script: its commands, their outputs, and stage directions.

A block marked `console` holds commands after `$ `, each with its output; a block marked `mail` holds
a mail that the owner got. A comment `<!-- world: WORDS -->` is a stage direction: what happens
outside, before the next command.
Values that differ from run to run are replaced by the same words on both sides before they are
compared.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_string
from email.policy import default
from typing import Final

_PIECE: Final = re.compile(
    r"<!-- world: (?P<world>.*?) -->|```console\n(?P<console>.*?)```|```mail\n(?P<mail>.*?)```",
    re.DOTALL,
)
_VARIES: Final = (
    (re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?( ?UTC|Z)?"), "TIME"),
    (re.compile(r"\d{4}-\d{2}-\d{2}"), "DATE"),
    (re.compile(r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} \w{3} \d{4} [\d:]{8} \+0000"), "TIME"),
    (re.compile(r"\b[0-9a-z]{13,14}(?=[/\s)]|$)"), "ID"),
    (re.compile(r"\bp=[A-Za-z0-9+/=]+…?"), "p=KEY"),
    (re.compile(r"[A-Za-z0-9+/]{40,}={0,2}"), "KEY"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "HASH"),
    (re.compile(r"\b[A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} "), "TIME "),
    (re.compile(r"\bsecondpost\[\d+\]"), "secondpost[NUMBER]"),
    (re.compile(r"\b(id|delay|again)=\d+(\.\d+)?"), r"\1=NUMBER"),
    (
        re.compile(
            r"\b(\d+ (min|h) )?\d+(\.\d+)? (ms|min|h|s|seconds?|minutes?|hours?|days?|B|KB|MB|GB|TB)\b"
        ),
        "AMOUNT",
    ),
    (re.compile(r"queued as [0-9A-Za-z]+"), "queued as ID"),
    (re.compile(r"\bPebble Intermediate CA [0-9a-f]+"), "an authority"),
)
# What `check` says of the machine under the namespace, with the lines that explain it.
_OF_THE_MACHINE: Final = re.compile(r"^\w+: .*\((?:clock|known-bugs)\)\n(?:  .*\n)*", re.MULTILINE)
_ID: Final = re.compile(r"\b[0-9a-z]{13}\b(?=[/ ]|$)")
# Installing is as long as what the machine lacks; the page shows what the package says of itself.
_INSTALLS: Final = "apt-get "
_OF_THE_PACKAGE: Final = re.compile(r"^(?:Setting up secondpost|Secondpost ).*", re.MULTILINE)
_VISIBLE: Final = "visible: "
_COUNTS: Final = re.compile(r"\bno faults\b.*")


@dataclass(frozen=True, slots=True)
class Direction:
    """Something that happens outside."""

    words: str


@dataclass(frozen=True, slots=True)
class Typed:
    """A command as the guide shows it, with its output."""

    command: str
    output: str


def script_of(guide: str) -> Iterator[Direction | Typed]:
    for piece in _PIECE.finditer(guide):
        if piece["world"] is not None:
            yield Direction(" ".join(piece["world"].split()))
        elif piece["console"] is not None:
            yield from _commands_of(piece["console"])


def id_in(text: str) -> str:
    """The first identifier of a message in a text; empty if there is none."""
    found = _ID.search(text)
    return "" if found is None else found[0]


def mails_of(guide: str) -> list[str]:
    """The owner's mails as the guide shows them."""
    return [piece["mail"].strip("\n") for piece in _PIECE.finditer(guide) if piece["mail"] is not None]


def as_read(mail: str) -> str:
    """A mail as its reader sees it: subject and text."""
    message = message_from_string(mail, policy=default)
    body = message.get_body()
    assert body is not None
    text = body.get_content()
    return f"Subject: {message['Subject']}\n\n{text}".strip("\n")


def _commands_of(block: str) -> Iterator[Typed]:
    _, *commands = re.split(r"^\$ ", block, flags=re.MULTILINE)
    for each in commands:
        lines = each.splitlines()
        taken = 1
        while lines[taken - 1].endswith("\\"):
            taken += 1
        yield Typed("\n".join(lines[:taken]), "\n".join(lines[taken:]).strip("\n"))


def with_outputs(guide: str, run: list[Typed], mails: list[str]) -> str:
    """The guide with the commands, outputs and mails of a new run in place of the old ones."""
    left, came = iter(run), iter(mails)

    def block(piece: re.Match[str]) -> str:
        if piece["world"] is not None:
            return piece[0]
        if piece["mail"] is not None:
            return f"```mail\n{next(came)}\n```"
        typed = [next(left) for _ in _commands_of(piece["console"])]
        told = [f"$ {one.command}\n{_ended(one.output)}" for one in typed]
        return f"```console\n{''.join(told)}```"

    return _PIECE.sub(block, guide)


def as_shown(command: str, output: str) -> str:
    """The output of a command, or what the page shows of it."""
    if not command.startswith(_INSTALLS):
        return output
    return "\n".join(("…", *_OF_THE_PACKAGE.findall(output)))


def _ended(output: str) -> str:
    return f"{output}\n" if len(output) > 0 else ""


def alike(text: str) -> str:
    """The text with everything that differs from run to run, and from machine to machine, replaced."""
    text = _COUNTS.sub("COUNTS", _OF_THE_MACHINE.sub("", text))
    for pattern, word in _VARIES:
        text = pattern.sub(word, text)
    # Records become visible in any order, and the last of them may not be waited for.
    lines = [line for line in text.splitlines() if not line.startswith(_VISIBLE)]
    return "\n".join(re.sub(r" {2,}", "  ", line).rstrip() for line in lines)
