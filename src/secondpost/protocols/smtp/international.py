"""Addresses in UTF-8, as SMTPUTF8 permits them in MAIL and RCPT (RFC 6531 §3.3).

A domain is the same in U-labels and A-labels (RFC 5890). We identify it by its A-labels, as DNS and
the configuration have them, and pass it on as it was written, since a server may know only that
form.
"""

import re

import idna

from secondpost.mail.address import (
    NULL_PATH,
    PATH_OCTETS_MAX,
    AddressError,
    Domain,
    Mailbox,
    ReversePath,
    octets_of,
)

_OTHER_DOTS = re.compile("[\u3002\uff0e\uff61]")  # IDNA2003 reads these as dots; servers without it would not


def written_domain(text: str) -> Domain:
    """Parse a domain in either form. Raises AddressError."""
    if text.isascii():
        return Domain.parse(text)
    if _OTHER_DOTS.search(text) is not None:
        raise AddressError(f"{text!r} is not a domain: its labels stand between dots of another kind")
    try:
        name = idna.encode(text).decode("ascii")
    except (idna.IDNAError, UnicodeError) as fault:
        raise AddressError(f"{text!r} is not a domain: {fault}") from None
    return Domain(Domain.parse(name).name, text)


def written_mailbox(text: str) -> Mailbox:
    """Parse a mailbox in ASCII or UTF-8. Raises AddressError."""
    if text.isascii():
        return Mailbox.parse(text)
    if octets_of(text) > PATH_OCTETS_MAX - 2:
        raise AddressError(f"the address has more than {PATH_OCTETS_MAX - 2} octets")
    local, at, written = text.rpartition("@")
    domain = written_domain(written)
    return Mailbox(Mailbox.parse_utf8(f"{local}{at}{domain.name}").local, domain)


def written_reverse_path(text: str) -> ReversePath:
    return NULL_PATH if len(text) == 0 else written_mailbox(text)
