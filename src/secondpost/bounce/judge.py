"""Classify a mail that came back: whose fault, and how lasting. Pure.

Judged by the subject of its status (RFC 3463 §3) and the other host's words, never by the first
digit alone: a 5xx about our reputation says nothing about the reader. Words about us come first,
since many hosts send such refusals with an unrelated status.
"""

import re

from secondpost.mail.bounce_kind import BounceKind
from secondpost.protocols.dsn.notification import RecipientReport

_OF_US = re.compile(
    r"spamhaus|spamcop|barracuda|\b(?:block|black|deny) ?list|\brbl\b|dnsbl|reputation|\bspam\b|unsolicited"
    r"|\bdmarc\b|\bspf\b|\bdkim\b|\bptr\b|reverse dns|rate limit|too many (?:messages|connections)"
    r"|blocked (?:using|by|for|due)|access denied|not authori[sz]ed",
    re.IGNORECASE,
)
_NO_SUCH_MAILBOX = re.compile(
    r"(?:user|mailbox|recipient|address|account)(?: address)?[^.;]{0,40}"
    r"(?:unknown|not found|not exist|n't exist|invalid|rejected: user)"
    r"|(?:unknown|invalid|no such) (?:local )?(?:user|mailbox|recipient|address|account)",
    re.IGNORECASE,
)
_FULL = re.compile(r"over ?quota|quota exceeded|(?:mail ?box|inbox|storage) (?:is )?full", re.IGNORECASE)

_BY_STATUS: dict[str, BounceKind] = {  # without the class digit
    "1.1": BounceKind.DEAD,
    "1.2": BounceKind.DEAD,
    "1.3": BounceKind.DEAD,
    "1.6": BounceKind.DEAD,
    "1.10": BounceKind.DEAD,  # RFC 7505
    "2.1": BounceKind.FULL,
    "2.2": BounceKind.FULL,
    "2.3": BounceKind.CONTENT,
    "3.4": BounceKind.CONTENT,
    "3.2": BounceKind.TEMPORARY,
}
_BY_SUBJECT = {"4": BounceKind.TEMPORARY, "6": BounceKind.CONTENT, "7": BounceKind.SENDER}


def kind_of(report: RecipientReport) -> BounceKind:
    words = report.diagnostic
    if _OF_US.search(words) is not None:
        return BounceKind.SENDER
    status_class, _, detail = report.status.partition(".")
    known = _BY_STATUS.get(detail) or _BY_SUBJECT.get(detail.partition(".")[0])
    if known is BounceKind.DEAD and status_class == "4":
        return BounceKind.TEMPORARY
    if known is not None:
        return known
    if _FULL.search(words) is not None:
        return BounceKind.FULL
    if status_class == "4":
        return BounceKind.TEMPORARY
    return BounceKind.DEAD if _NO_SUCH_MAILBOX.search(words) is not None else BounceKind.OTHER
