"""Decides whether a person or a program wrote a mail to us (RFC 3834), and from which address.

An autoresponder must not be taken for a reader who confirms, and automatic mail is never answered.
A mail whose header shows no sign of a program counts as a person's.
"""

import re

from secondpost.mail.address import AddressError, Mailbox, NullPath, ReversePath
from secondpost.protocols.dsn.parts import FieldGroup

_BULK = frozenset({"bulk", "junk", "list", "auto_reply"})  # Precedence: never standardised, but widely used
_SAY_SO = ("x-autoreply", "x-autorespond", "x-auto-reply", "list-id", "feedback-id")
_PROGRAMS = frozenset({"mailer-daemon", "majordomo", "noreply", "no-reply", "donotreply", "do-not-reply"})
_IN_BRACKETS = re.compile(r"<([^<>]*)>")


def is_automatic(header: FieldGroup, sender: ReversePath) -> bool:
    if isinstance(sender, NullPath) or sender.local.lower() in _PROGRAMS:
        return True
    submitted = header.first("auto-submitted").partition(";")[0].strip().lower()
    if submitted not in ("", "no"):  # RFC 3834 §5
        return True
    if header.first("precedence").strip().lower() in _BULK:
        return True
    if header.first("content-type").strip().lower().startswith("multipart/report"):
        return True
    return any(len(header.first(name)) > 0 for name in _SAY_SO)


def author_of(header: FieldGroup) -> Mailbox | None:
    """The mailbox in the From field (RFC 5322 §3.6.2); None unless exactly one is readable."""
    value = header.first("from")
    bracketed = _IN_BRACKETS.findall(value)
    if len(bracketed) > 1:
        return None
    try:
        return Mailbox.parse(bracketed[0].strip() if len(bracketed) == 1 else value.strip())
    except AddressError:
        return None
