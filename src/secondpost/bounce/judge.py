"""Judge a refusal, given in a conversation or in a report: whose fault, and how lasting. Pure.

Judged by the stage, the subject of its status (RFC 3463 §3) and the other host's words, never by
the first digit alone: a 5xx about our reputation says nothing about the reader. Words about us
decide first, since many hosts send such refusals with an unrelated status. What is said before RCPT
is never about the reader.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from secondpost.bounce import words
from secondpost.mail.bounce_kind import BounceKind
from secondpost.mail.outcome import Cause, Level
from secondpost.mail.reply import Reply
from secondpost.protocols.dsn.notification import RecipientReport


class RefusalStage(StrEnum):
    """Where a refusal was given."""

    ROUTE = "route"  # DNS names no server for the domain
    CONNECTION = "connection"  # connect, greeting, EHLO, STARTTLS, and 421 at any time
    RECIPIENT = "recipient"  # RCPT, or MAIL by policy
    MESSAGE = "message"  # MAIL, DATA or the final dot
    REPORT = "report"  # a mail that came back


@dataclass(frozen=True, slots=True)
class Refusal:
    stage: RefusalStage
    code: int  # of SMTP; 0 if a report does not say
    status: str  # enhanced (RFC 3463), such as "5.1.1"; "" if there is none
    text: str


_STAGES = {
    Cause.DNS: RefusalStage.ROUTE,
    Cause.DOMAIN_POLICY: RefusalStage.RECIPIENT,
    Cause.RECIPIENT: RefusalStage.RECIPIENT,
}

# By the status without its class digit.
_NO_SUCH_MAILBOX = frozenset({"1.1", "1.6", "1.10"})
_NO_SUCH_DOMAIN = frozenset({"1.2", "4.4", "4.310"})  # 4.310: Exchange Online
_FULL = frozenset({"2.1", "2.2"})
_TEMPORARY = frozenset({"3.1", "3.2", "4.2", "4.5", "4.7"})
_CONTENT = frozenset({"2.3", "3.4", "3.3"})
_UNSAID = frozenset({"", "0.0", "1.0", "1.1", "1.3", "1.6", "1.10", "2.0", "4.1", "5.0"})

# Codes with which servers refuse a recipient (RFC 5321 §4.2.3, RFC 7504).
_REFUSES_RECIPIENT = frozenset({550, 551, 553, 556})
_NO_MAIL_HERE = 556  # RFC 7504 §4

_CODE = re.compile(r"\b([45]\d\d)(?=[ -])")
_BARE = re.compile(r"\b[45]\d\d\b|\b[45]\.\d{1,3}\.\d{1,3}\b|<[^<>]{0,320}>|\S{1,256}@\S{1,256}|[\W_]")


def refusal_in(cause: Cause, reply: Reply) -> Refusal:
    """The refusal of an attempt that failed or was deferred."""
    at_site = cause.level is Level.SITE or cause is Cause.EXPIRED
    stage = _STAGES.get(cause, RefusalStage.CONNECTION if at_site else RefusalStage.MESSAGE)
    return Refusal(stage, reply.code, reply.status, reply.text)


def refusal_of(report: RecipientReport) -> Refusal:
    """The refusal that a report quotes."""
    code = _CODE.search(report.diagnostic[: words.TEXT_CHARACTERS_MAX])
    return Refusal(RefusalStage.REPORT, 0 if code is None else int(code[1]), report.status, report.diagnostic)


def judged(cause: Cause, reply: Reply) -> BounceKind:
    return kind_of(refusal_in(cause, reply))


def kind_of(refusal: Refusal) -> BounceKind:
    text = " ".join(refusal.text[: words.TEXT_CHARACTERS_MAX].split())
    status_class, _, detail = refusal.status.partition(".")
    # A report of a failure that gives neither status nor code is about a lasting one.
    is_lasting = status_class == "5" or (status_class == "" and not 400 <= refusal.code < 500)
    if refusal.stage is RefusalStage.ROUTE:
        return BounceKind.DOMAIN if is_lasting else BounceKind.TEMPORARY
    if words.speaks_of_us(text):
        return BounceKind.SENDER
    if refusal.stage is RefusalStage.CONNECTION:
        return BounceKind.SENDER if is_lasting else BounceKind.TEMPORARY
    return _of_reader(refusal, text, detail, is_lasting=is_lasting)


def _of_reader(refusal: Refusal, text: str, detail: str, *, is_lasting: bool) -> BounceKind:
    """The kind of a refusal whose words do not speak of us."""
    names_mailbox = words.NO_SUCH_MAILBOX.search(text) is not None
    if not is_lasting and words.GREYLISTED.search(text) is not None:
        return BounceKind.TEMPORARY  # milters greylist with 4.7.1
    if detail.startswith("7."):
        # Some hosts refuse an unknown mailbox as a matter of policy; alone it proves little.
        return BounceKind.VAGUE if names_mailbox and is_lasting else BounceKind.SENDER
    if detail in _FULL or words.FULL.search(text) is not None:
        return BounceKind.FULL
    if detail in _CONTENT or detail.startswith("6.") or words.OF_CONTENT.search(text) is not None:
        return BounceKind.CONTENT
    if not is_lasting:
        return BounceKind.TEMPORARY
    if detail in _NO_SUCH_DOMAIN:
        return BounceKind.DOMAIN  # before the words: "does not exist" is said of mailboxes too
    if names_mailbox or (detail in _NO_SUCH_MAILBOX and len(_BARE.sub("", text)) == 0):
        return BounceKind.DEAD
    if refusal.code == _NO_MAIL_HERE or words.NO_SUCH_DOMAIN.search(text) is not None:
        return BounceKind.DOMAIN
    if detail in _TEMPORARY or words.TEMPORARY.search(text) is not None:
        return BounceKind.TEMPORARY
    return _vague_or_other(refusal, detail)


def _vague_or_other(refusal: Refusal, detail: str) -> BounceKind:
    """A lasting refusal without telling words: at RCPT it is most likely about the mailbox."""
    if detail in _NO_SUCH_MAILBOX:
        return BounceKind.VAGUE
    of_recipient = refusal.code in _REFUSES_RECIPIENT and detail in _UNSAID
    return (
        BounceKind.VAGUE if of_recipient and refusal.stage is not RefusalStage.MESSAGE else BounceKind.OTHER
    )
