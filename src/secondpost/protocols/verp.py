"""The addresses at `bounces`: what their local parts say (docs/urls.md).

`b-TOKEN` is the envelope sender of a mail to one reader, so that whatever comes back names reader and issue;
`leave-TOKEN`, `confirm-TOKEN` and `join-NAME` are for readers who write instead of clicking. Case means
nothing: some systems on the way change it.
"""

import re
from dataclasses import dataclass

from secondpost.mail.address import LOCAL_PART_OCTETS_MAX, Domain, Mailbox
from secondpost.protocols.tokens import KeyRing, Purpose, Token

CONFIRMATION = 0  # in the envelope sender of a confirmation or a test copy, where an issue has its number
PREFIXES = {
    Purpose.BOUNCE: "b",
    Purpose.LEAVE_BY_MAIL: "leave",
    Purpose.CONFIRM_BY_MAIL: "confirm",
}
_PURPOSES = {prefix: purpose for purpose, prefix in PREFIXES.items()}
_JOIN = "join"
_SIGNED = re.compile(r"(b|leave|confirm)-([a-z2-7]+)")
_NAME = re.compile(r"join-([a-z0-9-]{1,32})")


@dataclass(frozen=True, slots=True)
class Signed:
    """An address that has the form of one of ours. Whether we made it, the keys tell: `read`."""

    purpose: Purpose
    token: str


@dataclass(frozen=True, slots=True)
class Join:
    """Whoever writes there wants to read this newsletter."""

    newsletter: str


def address_of(ring: KeyRing, token: Token, bounces: Domain) -> Mailbox:
    return Mailbox(f"{PREFIXES[token.purpose]}-{ring.write(token)}", bounces)


def join_address(newsletter: str, bounces: Domain) -> Mailbox:
    return Mailbox(f"{_JOIN}-{newsletter}", bounces)


def parse_local_part(local: str) -> Signed | Join | None:
    """None: not of ours."""
    if len(local) > LOCAL_PART_OCTETS_MAX or not local.isascii():
        return None
    lower = local.lower()
    signed = _SIGNED.fullmatch(lower)
    if signed is not None:
        return Signed(_PURPOSES[signed[1]], signed[2])
    join = _NAME.fullmatch(lower)
    return Join(join[1]) if join is not None else None


def read(ring: KeyRing, signed: Signed) -> Token | None:
    """What it says, if we made it."""
    return ring.read(signed.token, signed.purpose)
