"""A reader of one newsletter: address, key, state and consent.

There is one row per (newsletter, address); rows of one person are not linked.
"""

import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from msgspec import Struct

from secondpost.mail.address import Mailbox, unquoted

SubscriberId = NewType("SubscriberId", int)

NO_SUBSCRIBER = SubscriberId(0)  # of a test copy: readers are numbered from 1


class SubscriberState(StrEnum):
    """The state of a reader; subscriber_states has the transitions."""

    PENDING = "pending"  # signed up, not yet confirmed
    ACTIVE = "active"
    LEFT = "left"
    SUSPENDED = "suspended"  # its mail bounces
    COMPLAINED = "complained"  # reported our mail as spam to the provider


class Consent(Struct, frozen=True, gc=False):
    """What a reader agreed to, and the evidence for it."""

    where: str  # the page, file or letter with the consent
    how: str  # form, mail, import, owner …
    text: str  # the words that the reader saw
    at_ms: int
    address_prefix: str = ""  # of the client's network, such as 192.0.2.0/24; never the whole address


@dataclass(frozen=True, slots=True)
class Subscriber:
    id: SubscriberId
    newsletter: str
    mailbox: Mailbox  # as given: mail goes to this spelling
    key: str
    state: SubscriberState
    since_ms: int  # in this state
    created_ms: int
    consent: Consent | None  # the latest; None without any consent
    attributes: tuple[tuple[str, str], ...] = ()  # other columns of the list it came from


def subscriber_key(mailbox: Mailbox) -> str:
    """The same string for two spellings of a reader's address. Dots and +tags are significant."""
    local = unicodedata.normalize("NFC", unquoted(mailbox.local)).casefold()
    return f"{local}@{mailbox.domain.name}"
