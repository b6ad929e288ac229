"""Checks: every claim of the story is verified before it is printed as true."""

import re
from dataclasses import dataclass

from secondpost.demo.letters import Letter
from secondpost.demo.mailserver import Arrived

_RECEIVED = re.compile(rb"^Received: [^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*", re.MULTILINE)
_RESULTS = re.compile(_RECEIVED.pattern.replace(b"Received", b"Authentication-Results"), re.MULTILINE)


class FalseClaim(Exception):
    """A claim of the story is not true."""

    def __init__(self, claim: str, expected: object, found: object) -> None:
        super().__init__(f"{claim}\n  expected: {expected}\n  found:    {found}")


def check(claim: str, expected: object, found: object) -> None:
    """Raise FalseClaim unless `found` equals `expected`."""
    if expected != found:
        raise FalseClaim(claim, expected, found)


@dataclass(frozen=True, slots=True)
class Added:
    """What precedes the letter's own first octet on arrival."""

    received: int  # number of Received fields
    by_us: bool  # the first one names the second post office
    results: int  # number of Authentication-Results
    others: bytes  # everything else


DIRECT = Added(0, by_us=False, results=0, others=b"")
THROUGH_US = Added(1, by_us=True, results=1, others=b"")


def added_to(letter: Letter, arrived: Arrived, server: str) -> Added | None:
    """What was added in front of the letter; None if its own octets were changed."""
    if not arrived.data.endswith(letter.data):
        return None
    before = arrived.data[: len(arrived.data) - len(letter.data)]
    fields = _RECEIVED.findall(before)
    by_us = len(fields) > 0 and f" by {server} ".encode() in b" ".join(fields[0].split()) + b" "
    return Added(
        len(fields), by_us, len(_RESULTS.findall(before)), _RESULTS.sub(b"", _RECEIVED.sub(b"", before))
    )
