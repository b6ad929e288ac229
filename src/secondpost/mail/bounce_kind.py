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
    OTHER = "other"  # none of these can be told
