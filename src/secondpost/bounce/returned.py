"""What a report says of the reader whose mail came back. Pure.

Our mails have one recipient. A report names others if the mail was forwarded: then the reader's own
mailbox may well have taken it.
"""

import re
from dataclasses import dataclass, replace

from secondpost.bounce.judge import kind_of, refusal_of
from secondpost.mail.address import AddressError, Mailbox
from secondpost.mail.bounce_kind import BounceKind
from secondpost.protocols.dsn.notification import Action, RecipientReport, Report

_ENCODED = re.compile(r"\+([0-9A-Fa-f]{2})")  # RFC 3461 §4: xtext
_OF_THE_MAILBOX = frozenset({BounceKind.DEAD, BounceKind.DOMAIN})


@dataclass(frozen=True, slots=True)
class Returned:
    """Why a reader's mail came back."""

    kind: BounceKind
    status: str
    text: str  # the other host's words, or the report's text for people


def returned_for(reader: Mailbox, report: Report) -> Returned | None:
    """Judge a report for its reader; None if it says that their mail did not fail."""
    of_reader = [each for each in report.recipients if _names(reader, each)]
    if not all(map(_has_failed, of_reader)):
        return None
    failed = of_reader[0] if len(of_reader) > 0 else first_failed(report)
    if failed is None:
        return None
    kind = kind_in(report, failed)
    if len(of_reader) == 0 and kind in _OF_THE_MAILBOX:
        kind = BounceKind.VAGUE  # the mailbox of another, to which the reader has mail forwarded
    text = failed.diagnostic if len(failed.diagnostic) > 0 else report.text
    return Returned(kind, failed.status, text)


def kind_in(report: Report, failed: RecipientReport) -> BounceKind:
    """The kind of a failure. Without the other host's words, the text for people may say that it is
    our fault; its other words are too many to judge by.
    """
    if len(failed.diagnostic) == 0:
        told = kind_of(refusal_of(replace(failed, diagnostic=report.text)))
        if told is BounceKind.SENDER:
            return told
    return kind_of(refusal_of(failed))


def first_failed(report: Report) -> RecipientReport | None:
    return next((each for each in report.recipients if _has_failed(each)), None)


def _has_failed(recipient: RecipientReport) -> bool:
    """Whether delivery failed for good; some reporters give a status alone."""
    unsaid = recipient.action is None and recipient.status.startswith("5")
    return recipient.action is Action.FAILED or unsaid


def _names(reader: Mailbox, recipient: RecipientReport) -> bool:
    """Whether the reader's address is the recipient's, or was before a host rewrote it."""
    plain = reader.without_detail("+")
    keys = [each.key for each in (reader, plain) if each is not None]
    written = (recipient.recipient, recipient.original_recipient)
    spelled = [_key(each) for one in written if len(one) > 0 for each in (one, _decoded(one))]
    return any(_is_same(key, each) for key in keys for each in spelled)


def _is_same(key: str, written: str) -> bool:
    """Whether a host means the mailbox; it may leave out its domain, or add its own name."""
    local, _, domain = key.rpartition("@")
    written_local, at, written_domain = written.rpartition("@")
    if len(at) == 0:
        return written == local
    return written_local == local and f".{written_domain}".endswith(f".{domain}")


def _key(address: str) -> str:
    try:
        return Mailbox.parse_utf8(address).key
    except AddressError:
        return address.casefold()


def _decoded(address: str) -> str:
    return _ENCODED.sub(lambda found: chr(int(found[1], 16)), address)
