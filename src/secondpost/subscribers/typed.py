"""Addresses as people type them or lists contain them.

Readers get mail over the public internet: their domain has a dot and is no address literal.
"""

import re
import unicodedata
from functools import lru_cache

from secondpost.config.addresses import mailbox
from secondpost.mail.address import DOMAINS_KEPT, Domain, Mailbox

TYPED_CHARACTERS_MAX = 320  # longer than any address can be

_LABEL = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_PUBLIC = re.compile(rf"(?:{_LABEL}\.)+(?![0-9]+$){_LABEL}")
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*@[A-Za-z0-9.-]+")
_AROUND = " \t\r\n\u00a0\u200b\ufeff<>"  # characters that get copied along with an address


def typed_mailbox(text: str) -> Mailbox:
    """The mailbox that a text means. Raises ValueError with a sentence."""
    if _PLAIN.fullmatch(text) is not None:  # matches nearly all, which need no cleaning
        return _at_a_public_domain(Mailbox.parse(text))
    plain = unicodedata.normalize("NFC", text[: TYPED_CHARACTERS_MAX + 1]).strip(_AROUND)
    if len(plain) > TYPED_CHARACTERS_MAX:
        raise ValueError(f"it is longer than {TYPED_CHARACTERS_MAX} characters")
    return _at_a_public_domain(mailbox(plain.removeprefix("mailto:")))


def _at_a_public_domain(found: Mailbox) -> Mailbox:
    if not is_public(found.domain):
        raise ValueError(f"{found.domain.name} is not a full domain")
    return found


def is_public(domain: Domain) -> bool:
    """Whether a reader can be at this domain: other names would let a stranger send our mail to a
    machine beside us.
    """
    return _is_public(domain.name)


@lru_cache(DOMAINS_KEPT)
def _is_public(name: str) -> bool:
    return _PUBLIC.fullmatch(name) is not None


class NotAReader(ValueError):
    """An address that cannot be a reader's. The text says why."""


def check_reader(mailbox: Mailbox, own: frozenset[Domain]) -> None:
    """Raise NotAReader unless the address can be a reader's; every way of becoming a reader checks
    this.

    `own` are the domains at which this server itself receives mail. A newsletter to one would come
    back to us, a fault that any stranger could cause.
    """
    if not is_public(mailbox.domain):
        raise NotAReader(f"{mailbox.domain.name} is not a full domain")
    if mailbox.domain in own:
        raise NotAReader(f"{mailbox.domain.name} is this server itself, which has no readers")
