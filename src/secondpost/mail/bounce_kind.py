"""The kinds of refusal and of returned mail: whose fault it is, and how lasting."""

from enum import StrEnum


class BounceKind(StrEnum):
    """What a refusal says of its reader; bounce/judge decides, and the kind decides what follows.

    Only DEAD, VAGUE, DOMAIN, FULL and TEMPORARY ever count against a reader.
    """

    DEAD = "dead"  # no such mailbox, and the words agree
    VAGUE = "vague"  # refused for good, perhaps because there is no such mailbox
    DOMAIN = "domain"  # the domain does not exist, or takes no mail
    FULL = "full"  # mailbox full, disabled or inactive
    TEMPORARY = "temporary"
    SENDER = "sender"  # our reputation, authentication, rate or TLS: not the reader's fault
    CONTENT = "content"  # what was sent, or its size
    OTHER = "other"  # the refusal does not say which of these it is


# Kinds that may lead to a reader's suspension.
AGAINST_A_READER = frozenset(
    {BounceKind.DEAD, BounceKind.VAGUE, BounceKind.DOMAIN, BounceKind.FULL, BounceKind.TEMPORARY}
)


class Weighed(StrEnum):
    """What came of a bounce; subscribers/suspending decides."""

    NEW = "new"  # not looked at yet
    COUNTED = "counted"  # it counts, but not enough
    SUSPENDED = "suspended"  # it suspended its reader
    HELD = "held"  # it would have, among too many at once: waits for the owner
    ACCEPTED = "accepted"  # the owner let it suspend its reader
    FORGIVEN = "forgiven"  # the owner said that it was not the reader's fault


def first_weight(kind: BounceKind) -> Weighed:
    return Weighed.NEW if kind in AGAINST_A_READER else Weighed.COUNTED
