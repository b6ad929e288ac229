"""An address as people type it or lists carry it: the mailbox that it means, or why it is none.

Readers get mail over the public internet: their domain has a dot, and is no address literal.
"""

import re
import unicodedata

from secondpost.config.addresses import mailbox
from secondpost.mail.address import Domain, Mailbox

TYPED_CHARACTERS_MAX = 320  # longer than any address can be

_LABEL = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_PUBLIC = re.compile(rf"(?:{_LABEL}\.)+(?![0-9]+$){_LABEL}")
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*@[A-Za-z0-9.-]+")
_AROUND = " \t\r\n\u00a0\u200b\ufeff<>"  # what is copied along with an address


def typed_mailbox(text: str) -> Mailbox:
    """Raises ValueError with a sentence."""
    if _PLAIN.fullmatch(text) is not None:  # nearly all: nothing has to be undone
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
    """Whether a reader can be there: else mail would go to a machine beside us that somebody else named."""
    return _PUBLIC.fullmatch(domain.name) is not None


class NotAReader(ValueError):
    """An address that cannot be a reader's. The text says why."""


def check_reader(mailbox: Mailbox, own: frozenset[Domain]) -> None:
    """The rule that holds on every way of becoming a reader. Raises NotAReader.

    `own` are the domains that this server takes mail for itself at: a mail there would come back to us, and
    be a fault of ours that any stranger could bring about.
    """
    if not is_public(mailbox.domain):
        raise NotAReader(f"{mailbox.domain.name} is not a full domain")
    if mailbox.domain in own:
        raise NotAReader(f"{mailbox.domain.name} is this server itself, which has no readers")
