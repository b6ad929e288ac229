"""What `secondpost check` finds: a catalogue of checks, and a value for each result."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum


class Area(StrEnum):
    """The part of `secondpost check` to which a check belongs."""

    CONFIG = "config"
    DNS = "dns"
    SECURITY = "security"
    DELIVERY = "delivery"


class Grade(StrEnum):
    WELL = "well"  # looked at, and right
    NOTE = "note"  # worth knowing, or it cannot be seen from here
    WARNING = "warning"  # mail flows, but the next step is advisable
    FAULT = "fault"  # mail is lost, refused, delayed, or can be forged or read, until it is mended


class Check(Enum):
    """Everything that is checked: its word, its area, and why it matters. See docs/checks.md."""

    # -- the configuration and the store that belongs to it
    SETTING = (
        "setting",
        Area.CONFIG,
        "The service starts only with a file that it understands, and does what stands there.",
    )
    NEWSLETTER_NAME = (
        "newsletter-name",
        Area.CONFIG,
        "A newsletter that the file no longer names is not sent, and its readers cannot leave.",
    )

    # -- this machine
    CLOCK = (
        "clock",
        Area.SECURITY,
        "Signatures, certificates and the days that mail is kept all depend on the right time.",
    )
    DISK_SPACE = (
        "disk-space",
        Area.SECURITY,
        "Below the reserve every sender is asked to come again later, and no new mail is held.",
    )
    QUOTAS = (
        "quotas",
        Area.SECURITY,
        "If the quotas together are larger than the disk, one domain can take the room of another.",
    )
    STORE_FILES = (
        "store-files",
        Area.SECURITY,
        "Mail and keys in the store are readable by every user that may read its files.",
    )
    SECRET_FILES = (
        "secret-files",
        Area.SECURITY,
        "With a private key or a password another user of this machine can pose as this server.",
    )
    CONFIG_FILE = (
        "config-file",
        Area.SECURITY,
        "A user that can write the configuration decides where all mail goes.",
    )
    SERVICE_USER = (
        "service-user",
        Area.SECURITY,
        "A service that stays root gives the whole machine to an intruder.",
    )
    KNOWN_BUGS = (
        "known-bugs",
        Area.SECURITY,
        "The libraries below this server decide whether mail stays intact and connections private.",
    )
    OPEN_FILES = (
        "open-files",
        Area.SECURITY,
        "Every connection takes an open file: at the limit new senders are turned away.",
    )

    # -- a message through the backup to the primary's mailbox
    SELF_TEST_RECEIVED = (
        "self-test-received",
        Area.DELIVERY,
        "While the primary is away senders come here, and this server must take their mail.",
    )
    SELF_TEST_ROUTE = (
        "self-test-route",
        Area.DELIVERY,
        "Held mail can be handed over only if it is clear where the primary is.",
    )
    SELF_TEST_CONNECTION = (
        "self-test-connection",
        Area.DELIVERY,
        "Held mail leaves as soon as a host of the primary lets this server in.",
    )
    SELF_TEST_TLS = (
        "self-test-tls",
        Area.DELIVERY,
        "Without TLS the mail that is handed over can be read on its way.",
    )
    SELF_TEST_TAKEN = (
        "self-test-taken",
        Area.DELIVERY,
        "A primary that refuses this server refuses the mail of an outage, all of it at once.",
    )
    HEADER_WAY = (
        "header-way",
        Area.DELIVERY,
        "A header says something of the primary's trust only if the message came through this server.",
    )
    HEADER_SPF = (
        "header-spf",
        Area.DELIVERY,
        "SPF compares the sender's domain with an address; behind a relay that is not the sender's.",
    )
    HEADER_DKIM = (
        "header-dkim",
        Area.DELIVERY,
        "A signature that survives proves the sender, whichever way a message came.",
    )
    HEADER_DMARC = (
        "header-dmarc",
        Area.DELIVERY,
        "Mail that fails DMARC is refused or filed as spam if its sender's domain asks for it.",
    )
    HEADER_ARC = (
        "header-arc",
        Area.DELIVERY,
        "ARC hands on what earlier servers found out; the primary decides whose word it takes.",
    )
    HEADER_COMPAUTH = (
        "header-compauth",
        Area.DELIVERY,
        "Microsoft 365 decides by its own combined result whether a sender counts as forged.",
    )
    HEADER_SPAM = (
        "header-spam",
        Area.DELIVERY,
        "Mail that arrives in the spam folder is hardly better than mail that does not arrive.",
    )
    HEADER_TRUST = (
        "header-trust",
        Area.DELIVERY,
        "A primary that takes its backup for the sender rejects good mail and learns to distrust the backup.",
    )
    HEADER_OTHERS = (
        "header-others",
        Area.DELIVERY,
        "The sender of a message can write results of checks into it: they prove nothing.",
    )

    def __init__(self, word: str, area: Area, why: str) -> None:
        self.word = word
        self.area = area
        self.why = why


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One result of a check."""

    check: Check
    subject: str  # the domain, host or file looked at; "" for the whole machine
    grade: Grade
    text: str  # what was found, in a sentence
    remedy: str = ""  # the exact record, line or command that mends it; "" if there is nothing to do


WORST_FIRST = (Grade.FAULT, Grade.WARNING, Grade.NOTE, Grade.WELL)


def worst_first(diagnoses: Iterable[Diagnosis]) -> list[Diagnosis]:
    """The worst grade first; results of one grade stay in their order."""
    return sorted(diagnoses, key=lambda one: WORST_FIRST.index(one.grade))


def has_fault(diagnoses: Sequence[Diagnosis]) -> bool:
    return any(one.grade is Grade.FAULT for one in diagnoses)
