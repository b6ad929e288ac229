"""The addresses at `bounces`, and what their local parts mean (docs/urls.md).

`b-TOKEN` is the envelope sender of a mail to one reader, so that a bounce names the reader and the
issue; `f-TOKEN` is where providers report that a reader called the mail spam (RFC 9477);
`leave-TOKEN`, `confirm-TOKEN` and `join-NAME` are for readers who write instead of clicking.
Case is ignored, since some systems on the way change it.
"""

import re
from dataclasses import dataclass

from secondpost.mail.address import LOCAL_PART_OCTETS_MAX, Domain, Mailbox
from secondpost.protocols.tokens import KeyRing, Purpose, Token

CONFIRMATION = 0  # instead of an issue's number in the envelope sender of a confirmation or test copy
PREFIXES = {
    Purpose.BOUNCE: "b",
    Purpose.LEAVE_BY_MAIL: "leave",
    Purpose.CONFIRM_BY_MAIL: "confirm",
    Purpose.FEEDBACK: "f",
}
_PURPOSES = {prefix: purpose for purpose, prefix in PREFIXES.items()}
_JOIN = "join"
_SIGNED = re.compile(r"(b|f|leave|confirm)-([a-z2-7]+)")
_NAME = re.compile(r"join-([a-z0-9-]{1,32})")


@dataclass(frozen=True, slots=True)
class Signed:
    """An address of the form that we make. `read` checks with the keys whether we made it."""

    purpose: Purpose
    token: str


@dataclass(frozen=True, slots=True)
class Join:
    """The address for subscribing to a newsletter by mail."""

    newsletter: str


def address_of(ring: KeyRing, token: Token, bounces: Domain) -> Mailbox:
    return Mailbox(f"{PREFIXES[token.purpose]}-{ring.write(token)}", bounces)


def join_address(newsletter: str, bounces: Domain) -> Mailbox:
    return Mailbox(f"{_JOIN}-{newsletter}", bounces)


def parse_local_part(local: str) -> Signed | Join | None:
    """Parse a local part; None if it is not of a form that we make."""
    if len(local) > LOCAL_PART_OCTETS_MAX or not local.isascii():
        return None
    lower = local.lower()
    signed = _SIGNED.fullmatch(lower)
    if signed is not None:
        return Signed(_PURPOSES[signed[1]], signed[2])
    join = _NAME.fullmatch(lower)
    return Join(join[1]) if join is not None else None


def read(ring: KeyRing, signed: Signed) -> Token | None:
    """The token in the address; None if we did not make it."""
    return ring.read(signed.token, signed.purpose)
