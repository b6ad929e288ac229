"""A reader of one newsletter: the address as it was given, the key that tells one from another, the state
in which it is, and what the reader agreed to.

There is one row per (newsletter, address) and no person above it.
"""

import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from secondpost.mail.address import Mailbox, unquoted

SubscriberId = NewType("SubscriberId", int)

NO_SUBSCRIBER = SubscriberId(
    0
)  # whom a test copy is for: readers are numbered from 1, so its links are no reader's


class SubscriberState(StrEnum):
    """subscriber_states.py is the table of what leads from one to another."""

    PENDING = "pending"  # asked to be a reader, and has not confirmed it
    ACTIVE = "active"
    LEFT = "left"
    SUSPENDED = "suspended"  # its mail comes back
    COMPLAINED = "complained"  # told its provider that we send spam


@dataclass(frozen=True, slots=True)
class Consent:
    """What a reader agreed to, and what proves it."""

    where: str  # the page, the file or the letter in which they said so
    how: str  # the way: form, mail, import, owner …
    text: str  # the words that they saw
    at_ms: int
    address_prefix: str = ""  # of the caller's network, such as 192.0.2.0/24; never the whole address


@dataclass(frozen=True, slots=True)
class Subscriber:
    id: SubscriberId
    newsletter: str
    mailbox: Mailbox  # the spelling given: mail goes there
    key: str
    state: SubscriberState
    since_ms: int  # in this state
    created_ms: int
    consent: Consent | None  # the last one; None for someone who never agreed to anything
    attributes: tuple[tuple[str, str], ...] = ()  # other columns of the list it came from


def subscriber_key(mailbox: Mailbox) -> str:
    """What two spellings of one reader's address share. Dots and what follows a plus tell readers apart."""
    local = unicodedata.normalize("NFC", unquoted(mailbox.local)).casefold()
    return f"{local}@{mailbox.domain.name}"
