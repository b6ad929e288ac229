"""What Google, Yahoo and Microsoft ask of senders of bulk mail, as data with its sources.

A newsletter is bulk mail whatever its size: Google counts a domain that once sent 5,000 mails in a day
as a bulk sender for ever, so all rules are kept from the first mail on.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, StrEnum

BULK_MAILS_A_DAY = 5_000  # to personal accounts of Google, and of Outlook.com; Yahoo names no number
COMPLAINTS_AIM = 0.001  # of delivered mails: Google asks to stay below it
COMPLAINTS_MAX = 0.003  # Google and Yahoo: never as much as this


class RuleAsker(StrEnum):
    GOOGLE = "Google"
    YAHOO = "Yahoo"
    MICROSOFT = "Microsoft"


# The profile in mail/provider of each one's personal mailboxes.
PROFILES_OF = {RuleAsker.GOOGLE: "google", RuleAsker.YAHOO: "yahoo", RuleAsker.MICROSOFT: "outlook"}


@dataclass(frozen=True, slots=True)
class RuleSource:
    """A page on which a provider publishes its rules; the last look at them was at RULES_DATED."""

    asker: RuleAsker
    url: str
    since: str  # month in which they took effect


RULES_DATED = "2026-11-30"
SOURCES: tuple[RuleSource, ...] = (
    RuleSource(RuleAsker.GOOGLE, "https://support.google.com/a/answer/81126", "2024-02"),
    # That a bulk sender stays one, how the 5,000 are counted, and that body links are no one-click.
    RuleSource(RuleAsker.GOOGLE, "https://support.google.com/a/answer/14229414", "2024-02"),
    RuleSource(RuleAsker.YAHOO, "https://senders.yahooinc.com/best-practices", "2024-02"),
    # Announced on Microsoft's blog "Strengthening Email Ecosystem: Outlook's New Requirements for
    # High-Volume Senders" in April 2025; the policies have the rest.
    RuleSource(
        RuleAsker.MICROSOFT, "https://sendersupport.olc.protection.outlook.com/pm/Policies", "2025-05"
    ),
)

_ALL = (RuleAsker.GOOGLE, RuleAsker.YAHOO, RuleAsker.MICROSOFT)


class BulkRule(Enum):
    """A rule: its word, what it asks in words, and who asks it."""

    SPF_AND_DKIM = ("spf-and-dkim", "SPF and DKIM pass", _ALL)
    DMARC = ("dmarc", "DMARC record, aligned with From", _ALL)
    REVERSE_NAME = ("reverse-name", "address has a name that leads back", _ALL)
    TLS = ("tls", "mail is handed over encrypted", (RuleAsker.GOOGLE,))
    ONE_CLICK = ("one-click", "one-click unsubscribe (RFC 8058)", (RuleAsker.GOOGLE, RuleAsker.YAHOO))
    UNSUBSCRIBE_LINK = ("unsubscribe-link", "link to unsubscribe in header and text", _ALL)
    COMPLAINTS = ("complaints", "complaints below 0.3 %, better 0.1 %", (RuleAsker.GOOGLE, RuleAsker.YAHOO))
    FROM = ("from", "From and Reply-To are valid and your own", (RuleAsker.GOOGLE, RuleAsker.MICROSOFT))
    FORMAT = ("format", "messages keep to RFC 5322", _ALL)
    VOLUME = ("volume", "5,000 mails a day make a bulk sender", (RuleAsker.GOOGLE, RuleAsker.MICROSOFT))

    def __init__(self, word: str, text: str, askers: tuple[RuleAsker, ...]) -> None:
        self.word = word
        self.text = text
        self.askers = askers


class RuleState(StrEnum):
    KEPT = "kept"
    BROKEN = "not kept"
    WATCHED = "to be watched"  # it depends on readers, or on figures that the provider keeps to itself
    UNSEEN = "not seen"  # it could not be looked at from here, or not yet


@dataclass(frozen=True, slots=True)
class RuleStanding:
    """How one rule stands here."""

    rule: BulkRule
    state: RuleState
    text: str  # what was seen, in a sentence
    remedy: str = ""  # what mends it; "" if there is nothing to do
    is_chosen: bool = False  # not kept because of a setting that may be so: no fault


def has_broken(standings: Iterable[RuleStanding]) -> bool:
    return any(one.state is RuleState.BROKEN and not one.is_chosen for one in standings)
