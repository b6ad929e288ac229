"""What the exports of newsletter services and mailing list managers mean: service, form, column, word.

A table and nothing else; importing recognises a file by it and says before anything is written what each
column means. Names of columns and words are written as the service writes them, and compared folded. Beside
each service stands where its columns were read. The table is long because there are many services; each
stands alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from types import MappingProxyType


class ReaderStanding(StrEnum):
    """What a list says of one person. Of all that one row says the strongest holds; each is stronger than
    the ones above it."""

    ACTIVE = "active"
    PENDING = "pending"  # asked for it and has not confirmed
    LEFT = "left"  # wants no mail (now), was removed, or never was a reader; may come back by the form
    SUPPRESSED = "suppressed"  # bounced, complained, blocked


class Plain(Enum):
    """A column that says nothing of the standing. Where several have one meaning the last value counts;
    names are joined."""

    ADDRESS = auto()
    NAME = auto()
    CREATED = auto()  # when the service first knew of them
    AGREED_AT = auto()
    AGREED_WHERE = auto()
    AGREED_FROM = auto()  # an IP address: kept as the prefix of its network only
    KEPT = auto()


@dataclass(frozen=True, slots=True)
class Words:
    """A column of words. A word that is not in `meanings` says something that we do not understand, which
    never leads to mail; an empty cell says `empty`. None says nothing of the standing."""

    meanings: Mapping[str, ReaderStanding | None]  # folded
    empty: ReaderStanding | None = None


@dataclass(frozen=True, slots=True)
class YesNo:
    """A column of true and false, yes and no, 1 and 0. None says nothing; so does an empty cell. Any other
    value is a word that we do not understand."""

    yes: ReaderStanding | None
    no: ReaderStanding | None


@dataclass(frozen=True, slots=True)
class Moment:
    """A column of dates or reasons: any value means the standing, an empty cell says nothing."""

    standing: ReaderStanding


@dataclass(frozen=True, slots=True)
class AtLeast:
    """A column of numbers: `number` and more mean the standing; less, or an empty cell, says nothing."""

    number: int
    standing: ReaderStanding


Meaning = Plain | Words | YesNo | Moment | AtLeast


@dataclass(frozen=True, slots=True)
class ExportForm:
    """One form of file that a service writes. A file is of this form when all its `marks` are names of
    columns; of two forms that a file may be, the one whose marks include the other's."""

    service: str
    what: str  # "unsubscribed contacts": what the form holds
    marks: frozenset[str]  # folded
    columns: Mapping[str, Meaning]  # folded; one that is not here is read as a list of no known service's
    whole: ReaderStanding | None = None  # what it means to be in such a file at all
    # JSON only: the name of the list of objects, "" for a file that is one list. Names inside objects and
    # lists are joined by dots ("lists.subscription_status"); each value in a list counts. A name that is in
    # `columns` stands for all below it that are not ("attribs" for "attribs.city").
    rows_at: str | None = None
    # What such a file does not say though it matters: a clause after "It does not say …". The owner has to
    # know it before anything is written.
    unsaid: str = ""


ACTIVE, PENDING = ReaderStanding.ACTIVE, ReaderStanding.PENDING
LEFT, SUPPRESSED = ReaderStanding.LEFT, ReaderStanding.SUPPRESSED


def folded(name: str) -> str:
    """What the spellings of one column's name or of one word share: their letters and digits."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _each(meaning: Meaning, *names: str) -> dict[str, Meaning]:
    return {folded(name): meaning for name in names}


def _words(meanings: Mapping[str, ReaderStanding | None], empty: ReaderStanding | None = None) -> Words:
    return Words(MappingProxyType({folded(word): standing for word, standing in meanings.items()}), empty)


def _form(
    service: str,
    what: str,
    marks: tuple[str, ...],
    columns: Mapping[str, Meaning],
    whole: ReaderStanding | None = None,
    rows_at: str | None = None,
) -> ExportForm:
    return ExportForm(
        service, what, frozenset(map(folded, marks)), MappingProxyType(dict(columns)), whole, rows_at
    )


# subscribers/exporting.py.
_SECONDPOST = (
    _each(Plain.ADDRESS, "email")
    | _each(
        _words(
            {
                "active": ACTIVE,
                "pending": PENDING,
                "left": LEFT,
                "suspended": SUPPRESSED,
                "complained": SUPPRESSED,
            }
        ),
        "state",
    )
    | _each(Plain.CREATED, "created")
    | _each(Plain.AGREED_AT, "agreed_at")
    | _each(Plain.AGREED_WHERE, "agreed_where")
    | _each(Plain.KEPT, "since", "agreed_how", "attributes")
    | _each(YesNo(yes=SUPPRESSED, no=None), "suppressed")
)

# knadh/listmonk: models/models.go, cmd/subscribers.go (export).
_LISTMONK_STATUS = _words(
    {"enabled": ACTIVE, "disabled": LEFT, "blocklisted": SUPPRESSED, "blacklisted": SUPPRESSED}
)
_LISTMONK_SUBSCRIPTION = _words({"confirmed": ACTIVE, "unconfirmed": PENDING, "unsubscribed": LEFT})
_LISTMONK = (
    _each(Plain.ADDRESS, "email")
    | _each(Plain.NAME, "name")
    | _each(_LISTMONK_STATUS, "status")
    | _each(_LISTMONK_SUBSCRIPTION, "subscription_status")
    | _each(Plain.CREATED, "created_at")
    | _each(Plain.KEPT, "uuid", "attributes", "updated_at")
)

# Mailchimp: mailchimp.com/help/export-contacts/ and .../view-contact-table.
_MAILCHIMP = (
    _each(Plain.ADDRESS, "Email Address")
    | _each(Plain.NAME, "First Name", "Last Name")
    | _each(Plain.CREATED, "OPTIN_TIME")
    | _each(Plain.AGREED_AT, "CONFIRM_TIME")
    | _each(Plain.AGREED_FROM, "OPTIN_IP", "CONFIRM_IP")
    | _each(
        Plain.KEPT,
        "Address", "Phone Number", "Birthday", "Company", "MEMBER_RATING", "LATITUDE", "LONGITUDE", "GMTOFF",
        "DSTOFF", "TIMEZONE", "CC", "REGION", "LAST_CHANGED", "LEID", "EUID", "NOTES", "TAGS",
    )
)  # fmt: skip
_MAILCHIMP_MARKS = ("Email Address", "MEMBER_RATING", "OPTIN_TIME", "LEID", "EUID")
_MAILCHIMP_UNSUBSCRIBED = _MAILCHIMP | _each(
    Moment(LEFT),
    "UNSUB_TIME", "UNSUB_CAMPAIGN_TITLE", "UNSUB_CAMPAIGN_ID", "UNSUB_REASON", "UNSUB_REASON_OTHER",
)  # fmt: skip
_MAILCHIMP_CLEANED = _MAILCHIMP | _each(
    Moment(SUPPRESSED), "CLEAN_TIME", "CLEAN_CAMPAIGN_TITLE", "CLEAN_CAMPAIGN_ID"
)
_MAILCHIMP_TABLE = _MAILCHIMP | _each(
    _words(
        {
            "Subscribed": ACTIVE,
            "Unsubscribed": LEFT,
            "Non-Subscribed": LEFT,
            "Pending": PENDING,
            "Cleaned": SUPPRESSED,
            "Archived": LEFT,
        }
    ),
    "Email Marketing",
    "Email Marketing Status",
    "Status",
)

# docs.buttondown.com/api-subscribers-introduction and -type.
_BUTTONDOWN_TYPE = _words(
    {
        "regular": ACTIVE,
        "premium": ACTIVE,
        "gifted": ACTIVE,
        "trialed": ACTIVE,
        "churning": ACTIVE,
        "past_due": ACTIVE,
        "unpaid": ACTIVE,
        "churned": ACTIVE,
        "unactivated": PENDING,
        "upcoming": PENDING,
        "unsubscribed": LEFT,
        "removed": LEFT,
        "disabled": LEFT,
        "paused": LEFT,
        "blocked": SUPPRESSED,
        "spammy": SUPPRESSED,
        "malicious": SUPPRESSED,
        "complained": SUPPRESSED,
        "undeliverable": SUPPRESSED,
    }
)
_BUTTONDOWN = (
    _each(Plain.ADDRESS, "email_address", "email")
    | _each(_BUTTONDOWN_TYPE, "type", "subscriber_type")
    | _each(Moment(LEFT), "unsubscription_date", "unsubscription_reason")
    | _each(Moment(SUPPRESSED), "undeliverability_date", "undeliverability_reason")
    | _each(Plain.CREATED, "creation_date")
    | _each(Plain.AGREED_FROM, "ip_address")
    | _each(
        Plain.KEPT, "id", "notes", "metadata", "tags", "source", "referrer_url", "secondary_id", "churn_date"
    )
)

# TryGhost/migrate: packages/mg-substack-members-csv. A reader of the free edition has no active subscription.
_SUBSTACK = (
    _each(Plain.ADDRESS, "email")
    | _each(Plain.NAME, "name")
    | _each(YesNo(yes=LEFT, no=None), "email_disabled")
    | _each(Plain.CREATED, "created_at")
    | _each(Plain.KEPT, "active_subscription", "expiry", "plan", "first_payment_at")
)

# TryGhost/Ghost: ghost/core/core/server/services/members (members CSV serializer).
_GHOST = (
    _each(Plain.ADDRESS, "email")
    | _each(Plain.NAME, "name")
    | _each(YesNo(yes=ACTIVE, no=LEFT), "subscribed_to_emails", "subscribed")
    | _each(YesNo(yes=SUPPRESSED, no=None), "email_disabled")
    | _each(Moment(LEFT), "deleted_at")
    | _each(Plain.CREATED, "created_at")
    | _each(Plain.KEPT, "id", "note", "complimentary_plan", "stripe_customer_id", "labels", "tiers")
)

EXPORTS: tuple[ExportForm, ...] = (
    _form("Secondpost", "readers", ("email", "state", "since", "agreed_how"), _SECONDPOST),
    _form("listmonk", "subscribers", ("uuid", "email", "attributes", "status"), _LISTMONK),
    _form("Mailchimp", "subscribed contacts", _MAILCHIMP_MARKS, _MAILCHIMP, whole=ACTIVE),
    _form(
        "Mailchimp",
        "unsubscribed contacts",
        (*_MAILCHIMP_MARKS, "UNSUB_TIME"),
        _MAILCHIMP_UNSUBSCRIBED,
        whole=LEFT,
    ),
    _form(
        "Mailchimp",
        "cleaned contacts",
        (*_MAILCHIMP_MARKS, "CLEAN_TIME"),
        _MAILCHIMP_CLEANED,
        whole=SUPPRESSED,
    ),
    _form("Mailchimp", "contact table", ("Email Address", "Email Marketing"), _MAILCHIMP_TABLE),
    _form("Buttondown", "subscribers", ("creation_date", "type", "unsubscription_date"), _BUTTONDOWN),
    _form(
        "Substack", "email list", ("email", "active_subscription", "email_disabled"), _SUBSTACK, whole=ACTIVE
    ),
    _form("Ghost", "members", ("email", "subscribed_to_emails", "labels"), _GHOST),
)

# What a column means in the list of no known service, and in a known one's where it has been added.
GENERAL: Mapping[str, Meaning] = MappingProxyType(
    _each(
        Plain.ADDRESS,
        "email", "e-mail", "mail", "email address", "e-mail address", "subscriber email", "user email",
        "e-post",
        "e-mail-adresse", "contact email",
    )
    | _each(Plain.NAME, "name", "full name", "first name", "last name", "display name")
    | _each(Plain.CREATED, "created", "created at", "creation date", "date added", "joined")
    | _each(Plain.AGREED_AT, "confirmed at", "opt-in time", "confirmation date", "agreed at", "consent date")
    | _each(Plain.AGREED_FROM, "ip", "ip address", "opt-in ip", "signup ip", "confirm ip")
    | _each(
        Moment(LEFT),
        "unsubscribed at", "unsubscribe date", "unsubscription date", "unsubscribe time", "unsub time",
        "unsubscribe reason", "opt-out date", "opt-out time", "opted out at", "left at", "removed at",
        "deleted at",
    )
    | _each(
        Moment(SUPPRESSED),
        "bounced at", "bounce date", "bounce reason", "complained at", "complaint date", "cleaned at",
        "clean time",
        "blocked at", "blocklisted at", "undeliverability date", "suppressed at",
    )
    | _each(YesNo(yes=LEFT, no=None), "unsubscribed", "opt-out", "opted out", "do not mail", "do not email")
    | _each(
        YesNo(yes=SUPPRESSED, no=None),
        "bounced", "complained", "blocklisted", "blacklisted", "suppressed",
    )
    | _each(
        _words(
            {
                "active": ACTIVE,
                "subscribed": ACTIVE,
                "subscriber": ACTIVE,
                "confirmed": ACTIVE,
                "enabled": ACTIVE,
                "pending": PENDING,
                "unconfirmed": PENDING,
                "not confirmed": PENDING,
                "unactivated": PENDING,
                "non-subscribed": LEFT,
                "invited": PENDING,
                "unsubscribed": LEFT,
                "unsubscribe": LEFT,
                "unsub": LEFT,
                "opted out": LEFT,
                "opt-out": LEFT,
                "left": LEFT,
                "cancelled": LEFT,
                "canceled": LEFT,
                "removed": LEFT,
                "deleted": LEFT,
                "archived": LEFT,
                "disabled": LEFT,
                "inactive": LEFT,
                "bounced": SUPPRESSED,
                "hard bounced": SUPPRESSED,
                "soft bounced": SUPPRESSED,
                "bounce": SUPPRESSED,
                "undeliverable": SUPPRESSED,
                "unreachable": SUPPRESSED,
                "invalid": SUPPRESSED,
                "cleaned": SUPPRESSED,
                "complained": SUPPRESSED,
                "complaint": SUPPRESSED,
                "spam": SUPPRESSED,
                "abuse": SUPPRESSED,
                "junk": SUPPRESSED,
                "blocked": SUPPRESSED,
                "blocklisted": SUPPRESSED,
                "blacklisted": SUPPRESSED,
                "banned": SUPPRESSED,
                "suppressed": SUPPRESSED,
                "suspended": SUPPRESSED,
            }
        ),
        "state", "status", "subscriber status", "member status", "subscription status", "email status",
    )
)  # fmt: skip

# Folded pieces of words that may mean leaving, bounced, complained, blocked or deleted. In a column that is
# not understood they stop the import until the owner says what the column means.
SUSPECT: frozenset[str] = frozenset(
    {
        "unsub", "optout", "optedout", "bounce", "complain", "spam", "abuse", "junk", "block", "blacklist",
        "banned",
        "suppress", "suspend", "cleaned", "undeliver", "unreach", "invalid", "inactive", "disabled",
        "deactivat",
        "cancel", "delete", "remove", "archived", "left", "gone", "stopped", "nomail", "donotmail",
        "donotemail",
    }
)  # fmt: skip
