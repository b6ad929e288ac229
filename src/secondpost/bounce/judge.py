"""Judge a refusal, given in a conversation or in a report: whose fault, and how lasting. Pure.

Judged by the stage, the subject of its status (RFC 3463 §3) and the other host's words, never by
the first digit alone: a 5xx about our reputation says nothing about the reader. Words about us
decide first, since many hosts send such refusals with an unrelated status. What is said before RCPT
is never about the reader.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from secondpost.bounce import words_about_mail, words_about_mailboxes
from secondpost.bounce.wording import TEXT_CHARACTERS_MAX, in_one_line
from secondpost.bounce.words_about_us import speaks_of_us, speaks_surely_of_us
from secondpost.mail.bounce_kind import BounceKind
from secondpost.mail.outcome import Cause, Level
from secondpost.mail.reply import Reply
from secondpost.protocols.dsn.notification import RecipientReport


class RefusalStage(StrEnum):
    """Where a refusal was given."""

    ROUTE = "route"  # DNS names no server for the domain
    CONNECTION = "connection"  # connect, greeting, EHLO, STARTTLS, and 421 at any time
    SENDER = "sender"  # MAIL
    RECIPIENT = "recipient"  # RCPT
    MESSAGE = "message"  # DATA or the final dot
    REPORT = "report"  # a mail that came back


@dataclass(frozen=True, slots=True)
class Refusal:
    stage: RefusalStage
    code: int  # of SMTP; 0 if a report does not say
    status: str  # enhanced (RFC 3463), such as "5.1.1"; "" if there is none
    text: str


_STAGES = {
    Cause.DNS: RefusalStage.ROUTE,
    Cause.SENDER: RefusalStage.SENDER,
    Cause.SENDER_POLICY: RefusalStage.SENDER,
    Cause.DOMAIN_POLICY: RefusalStage.RECIPIENT,
    Cause.RECIPIENT: RefusalStage.RECIPIENT,
}

_BEFORE_RCPT = frozenset({RefusalStage.CONNECTION, RefusalStage.SENDER})

# By the status without its class digit.
_SENDER_ADDRESS = frozenset({"1.7", "1.8"})  # RFC 3463 §3.2
_NO_SUCH_MAILBOX = frozenset({"1.1", "1.6", "1.10"})
_NO_SUCH_DOMAIN = frozenset({"1.2", "4.4", "4.310"})  # 4.310: Exchange Online
_FULL = frozenset({"2.1", "2.2"})
_TEMPORARY = frozenset({"3.1", "3.2", "4.2", "4.5", "4.7"})
_CONTENT = frozenset({"2.3", "3.4", "3.3"})
_UNSAID = frozenset({"", "0.0", "1.0", "1.1", "1.3", "1.6", "1.10", "2.0", "4.1", "5.0"})

# Codes with which servers refuse a recipient (RFC 5321 §4.2.3, RFC 7504).
_REFUSES_RECIPIENT = frozenset({550, 551, 553, 556})
_NO_MAIL_HERE = 556  # RFC 7504 §4
_TOO_LARGE = 552  # RFC 1870 §6.1
_NO_SUCH_SENDER = 517  # of Courier, for MAIL alone

_CODE = re.compile(r"\b([45]\d\d)(?=[ -])")
# The status that qmail, IronPort and others write into the text.
_STATUS = re.compile(r"(?:^\W{0,3}|#|\b[45]\d\d[ -])[245]\.(\d{1,3}\.\d{1,3})(?![\d.]\d)")
# As Postfix and Exim report what was refused.
_BEFORE_RCPT_IN_REPORT = re.compile(
    r"(?:in reply to|after|response to) (?:pipelined )?(?:mail from|helo|ehlo|initial connection|starttls)\b",
    re.IGNORECASE,
)
_BARE = re.compile(r"\b[45]\d\d\b|\b[45]\.\d{1,3}\.\d{1,3}\b|<[^<>]{0,320}>|\S{1,256}@\S{1,256}|[\W_]")


def refusal_in(cause: Cause, reply: Reply) -> Refusal:
    """The refusal of an attempt that failed or was deferred."""
    at_site = cause.level is Level.SITE or cause is Cause.EXPIRED
    stage = _STAGES.get(cause, RefusalStage.CONNECTION if at_site else RefusalStage.MESSAGE)
    return Refusal(stage, reply.code, reply.status, reply.text)


def refusal_of(report: RecipientReport) -> Refusal:
    """The refusal that a report quotes."""
    code = _CODE.search(report.diagnostic[:TEXT_CHARACTERS_MAX])
    return Refusal(RefusalStage.REPORT, 0 if code is None else int(code[1]), report.status, report.diagnostic)


def judged(cause: Cause, reply: Reply) -> BounceKind:
    return kind_of(refusal_in(cause, reply))


def kind_of(refusal: Refusal) -> BounceKind:
    text = in_one_line(refusal.text)
    status_class = refusal.status.partition(".")[0]
    # A report of a failure that gives neither status nor code is about a lasting one.
    is_lasting = status_class == "5" or (status_class == "" and not 400 <= refusal.code < 500)
    if refusal.stage is RefusalStage.ROUTE:
        return BounceKind.DOMAIN if is_lasting else BounceKind.TEMPORARY
    names_mailbox = words_about_mailboxes.NO_SUCH_MAILBOX.search(text) is not None
    detail = _detail(refusal, text, names_mailbox=names_mailbox)
    if detail in _SENDER_ADDRESS or refusal.code == _NO_SUCH_SENDER:
        return BounceKind.SENDER  # before the words: they are those for a reader's address
    agree = names_mailbox and detail in _NO_SUCH_MAILBOX
    if speaks_surely_of_us(text) if agree else speaks_of_us(text):
        return BounceKind.SENDER
    if refusal.stage is RefusalStage.SENDER and refusal.code == _TOO_LARGE:
        return BounceKind.CONTENT
    if refusal.stage in _BEFORE_RCPT:
        return BounceKind.SENDER if is_lasting else BounceKind.TEMPORARY
    if _BEFORE_RCPT_IN_REPORT.search(text) is not None:
        is_lasting = is_lasting and words_about_mail.TEMPORARY.search(text) is None
        return BounceKind.SENDER if is_lasting else BounceKind.TEMPORARY
    return _of_reader(refusal, text, detail, names_mailbox=names_mailbox, is_lasting=is_lasting)


def _detail(refusal: Refusal, text: str, *, names_mailbox: bool) -> str:
    """The status without its class, which may be in the text; "" if there is none."""
    if len(refusal.status) > 0:
        return refusal.status.partition(".")[2]
    found = _STATUS.search(text)
    # qmail's patches refuse an unknown mailbox with 5.7.1 too.
    return "" if found is None or (names_mailbox and found[1].startswith("7.")) else found[1]


def _of_reader(
    refusal: Refusal, text: str, detail: str, *, names_mailbox: bool, is_lasting: bool
) -> BounceKind:
    """The kind of a refusal whose words do not speak of us."""
    if not is_lasting and words_about_mail.GREYLISTED.search(text) is not None:
        return BounceKind.TEMPORARY  # milters greylist with 4.7.1
    if detail.startswith("7."):
        return _by_policy(text, names_mailbox=names_mailbox and is_lasting)
    if detail in _CONTENT or detail.startswith("6."):
        return BounceKind.CONTENT
    if detail in _FULL or words_about_mailboxes.FULL.search(text) is not None:
        return BounceKind.FULL
    if words_about_mail.OF_CONTENT.search(text) is not None:
        return BounceKind.CONTENT
    if not is_lasting:
        return BounceKind.TEMPORARY
    if detail in _NO_SUCH_DOMAIN:
        return BounceKind.DOMAIN  # before the words: "does not exist" is said of mailboxes too
    if names_mailbox or (detail in _NO_SUCH_MAILBOX and len(_BARE.sub("", text)) == 0):
        return BounceKind.DEAD
    if refusal.code == _NO_MAIL_HERE or words_about_mailboxes.NO_SUCH_DOMAIN.search(text) is not None:
        return BounceKind.DOMAIN
    if detail in _TEMPORARY or words_about_mail.TEMPORARY.search(text) is not None:
        return BounceKind.TEMPORARY
    return _vague_or_other(refusal, detail)


def _by_policy(text: str, *, names_mailbox: bool) -> BounceKind:
    """Some hosts refuse an unknown mailbox as a matter of policy; alone it proves little."""
    if words_about_mailboxes.DISABLED_BY_POLICY.search(text) is not None:
        return BounceKind.FULL
    if not names_mailbox:
        return BounceKind.SENDER
    sure = words_about_mailboxes.NO_SUCH_MAILBOX_BY_POLICY.search(text) is not None
    return BounceKind.DEAD if sure else BounceKind.VAGUE


def _vague_or_other(refusal: Refusal, detail: str) -> BounceKind:
    """A lasting refusal without telling words: at RCPT it is most likely about the mailbox."""
    if detail in _NO_SUCH_MAILBOX:
        return BounceKind.VAGUE
    of_recipient = refusal.code in _REFUSES_RECIPIENT and detail in _UNSAID
    return (
        BounceKind.VAGUE if of_recipient and refusal.stage is not RefusalStage.MESSAGE else BounceKind.OTHER
    )
