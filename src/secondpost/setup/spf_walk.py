"""What a receiver makes of a domain's SPF record, and how many look-ups it needs (RFC 7208 §4.6). Pure."""

from dataclasses import dataclass

from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.authentication import AuthResult
from secondpost.mail.dns_questions import AskingZone
from secondpost.mail.questions import Txt
from secondpost.protocols.spf import SpfMechanism, is_spf, parse_spf
from secondpost.protocols.spf_check import check_spf
from secondpost.protocols.spf_macros import SpfFault, shortened

TERMS_MAX = 30  # that ask DNS; beyond LOOKUPS_MAX the number no longer matters


@dataclass(frozen=True, slots=True)
class SpfSeen:
    result: AuthResult  # for the address
    lookups: int  # terms that ask DNS, over all records; counting ends at TERMS_MAX
    reason: str = ""  # of a permanent or temporary error


def walk_spf(domain: str, address: str) -> AskingZone[SpfSeen]:
    """The record of a domain, and what it says of an IP address.

    A receiver stops at the first match. The look-ups are counted to the end, because what matters is the
    most that any receiver needs.
    """
    found = yield from check_spf(address, Mailbox("postmaster", Domain(domain)), domain)
    lookups = yield from _lookups(domain, 0)
    return SpfSeen(found.result, lookups, found.reason)


def _lookups(domain: str, before: int) -> AskingZone[int]:
    """`before` and those of this domain's record; what a macro includes cannot be known."""
    if "%" in domain:
        return before
    answer = yield from Txt(domain).ask()
    texts = [text for text in answer.texts if is_spf(text)]
    if len(texts) != 1:
        return before
    try:
        record = parse_spf(texts[0])
    except SpfFault:
        return before
    lookups = before
    for directive in record.directives:
        if directive.mechanism is SpfMechanism.ALL or lookups >= TERMS_MAX:
            return lookups
        if directive.mechanism.asks:
            lookups += 1
        if directive.mechanism is SpfMechanism.INCLUDE:
            lookups = yield from _lookups(shortened(directive.domain), lookups)
    if len(record.redirect) > 0 and lookups < TERMS_MAX:
        lookups = yield from _lookups(shortened(record.redirect), lookups + 1)
    return lookups
