"""What `secondpost check` finds: a catalogue of checks, and a value for each result."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum

from secondpost.setup.reasons import REASONS


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
    """Everything that is checked: its word and its area; setup/reasons says why it matters. See
    docs/checks.md.
    """

    # -- the configuration and the store that belongs to it
    SETTING = ("setting", Area.CONFIG)
    NEWSLETTER_NAME = ("newsletter-name", Area.CONFIG)

    # -- DNS: this server's own name
    DNS_ANSWERS = ("dns-answers", Area.DNS)
    HOST_ADDRESS = ("host-address", Area.DNS)
    HOST_REVERSE = ("reverse-name", Area.DNS)
    WEB_ADDRESS = ("web-address", Area.DNS)
    IPV6 = ("ipv6", Area.DNS)
    CAA = ("caa", Area.DNS)

    # -- DNS: the mail hosts of backup domains, and of bounces
    MX_PLACE = ("mx-place", Area.DNS)
    MX_PREFERENCE = ("mx-preference", Area.DNS)
    MX_PRIMARY = ("mx-primary", Area.DNS)
    MX_LOOP = ("mx-loop", Area.DNS)
    MX_TARGET = ("mx-target", Area.DNS)
    MX_NULL = ("mx-null", Area.DNS)
    WILDCARD = ("wildcard", Area.DNS)
    BOUNCES_MX = ("bounces-mx", Area.DNS)

    # -- DNS: who may send, and what proves it
    SPF_RECORD = ("spf-record", Area.DNS)
    SPF_SYNTAX = ("spf-syntax", Area.DNS)
    SPF_LOOKUPS = ("spf-lookups", Area.DNS)
    SPF_STRICTNESS = ("spf-strictness", Area.DNS)
    SPF_SENDER = ("spf-sender", Area.DNS)
    DKIM_RECORD = ("dkim-record", Area.DNS)
    DKIM_SYNTAX = ("dkim-syntax", Area.DNS)
    DKIM_KEY = ("dkim-key", Area.DNS)
    DKIM_REVOKED = ("dkim-revoked", Area.DNS)
    DKIM_TESTING = ("dkim-testing", Area.DNS)
    DMARC_RECORD = ("dmarc-record", Area.DNS)
    DMARC_SYNTAX = ("dmarc-syntax", Area.DNS)
    DMARC_POLICY = ("dmarc-policy", Area.DNS)
    DMARC_ALIGNMENT = ("dmarc-alignment", Area.DNS)

    # -- DNS: encryption that senders can insist on
    TLSA_RECORD = ("tlsa-record", Area.DNS)
    TLSA_SIGNED = ("tlsa-signed", Area.DNS)
    TLSA_MATCH = ("tlsa-match", Area.DNS)
    TLSA_ROLLOVER = ("tlsa-rollover", Area.DNS)
    STS_ID = ("mta-sts-id", Area.DNS)
    STS_POLICY = ("mta-sts-policy", Area.DNS)
    STS_HOSTS = ("mta-sts-hosts", Area.DNS)
    STS_MODE = ("mta-sts-mode", Area.DNS)
    TLS_REPORTS = ("tls-reports", Area.DNS)

    # -- DNS: the zones themselves
    DNSSEC = ("dnssec", Area.DNS)
    NAME_SERVERS = ("name-servers", Area.DNS)
    RPKI = ("rpki", Area.DNS)

    # -- this machine
    CLOCK = ("clock", Area.SECURITY)
    DISK_SPACE = ("disk-space", Area.SECURITY)
    QUOTAS = ("quotas", Area.SECURITY)
    STORE_FILES = ("store-files", Area.SECURITY)
    SECRET_FILES = ("secret-files", Area.SECURITY)
    CONFIG_FILE = ("config-file", Area.SECURITY)
    SERVICE_USER = ("service-user", Area.SECURITY)
    KNOWN_BUGS = ("known-bugs", Area.SECURITY)
    ADVISORIES = ("advisories", Area.SECURITY)
    OPEN_FILES = ("open-files", Area.SECURITY)
    WALLS = ("walls", Area.SECURITY)
    UNITS = ("units", Area.SECURITY)

    # -- the certificate, and our own port
    CERTIFICATE = ("certificate", Area.SECURITY)
    CERTIFICATE_NAMES = ("certificate-names", Area.SECURITY)
    CERTIFICATE_DAYS = ("certificate-days", Area.SECURITY)
    CERTIFICATE_CHAIN = ("certificate-chain", Area.SECURITY)
    CERTIFICATE_STRENGTH = ("certificate-strength", Area.SECURITY)
    OWN_STARTTLS = ("own-starttls", Area.SECURITY)

    # -- its view of the world
    RESOLVER = ("resolver", Area.SECURITY)
    RESOLVER_TRUTH = ("resolver-truth", Area.SECURITY)

    RESOLVER_PLACE = ("resolver-place", Area.SECURITY)
    RESOLVER_DNSSEC = ("resolver-dnssec", Area.SECURITY)
    PORTS = ("ports", Area.SECURITY)

    # -- reachability
    PORT_25_OUT = ("port-25-out", Area.DELIVERY)
    PORT_25_IN = ("port-25-in", Area.DELIVERY)
    BLOCK_LIST = ("block-list", Area.DELIVERY)

    # -- the primary of each backup domain
    PRIMARY_REACHABLE = ("primary-reachable", Area.DELIVERY)
    PRIMARY_TLS = ("primary-tls", Area.DELIVERY)
    PRIMARY_TRUST = ("primary-trust", Area.DELIVERY)
    PRIMARY_CATCH_ALL = ("primary-catch-all", Area.DELIVERY)
    PRIMARY_OFFERS = ("primary-offers", Area.DELIVERY)
    RECIPIENTS_KNOWN = ("recipients-known", Area.DELIVERY)
    HELD_MAIL = ("held-mail", Area.DELIVERY)

    # -- our own mail
    OWNER_ROUTE = ("owner-route", Area.DELIVERY)
    SMART_HOST = ("smart-host", Area.DELIVERY)

    # -- the newsletters
    SIGN_UP_PAGE = ("sign-up-page", Area.DELIVERY)
    LEAVE_LINK = ("leave-link", Area.DELIVERY)
    FEED = ("feed", Area.DELIVERY)
    POSTAL_ADDRESS = ("postal-address", Area.DELIVERY)
    SIGNING_KEYS = ("signing-keys", Area.DELIVERY)

    # -- a message through the backup to the primary's mailbox
    SELF_TEST_RECEIVED = ("self-test-received", Area.DELIVERY)
    SELF_TEST_ROUTE = ("self-test-route", Area.DELIVERY)
    SELF_TEST_CONNECTION = ("self-test-connection", Area.DELIVERY)
    SELF_TEST_TLS = ("self-test-tls", Area.DELIVERY)
    SELF_TEST_TAKEN = ("self-test-taken", Area.DELIVERY)
    HEADER_WAY = ("header-way", Area.DELIVERY)
    HEADER_SPF = ("header-spf", Area.DELIVERY)
    HEADER_DKIM = ("header-dkim", Area.DELIVERY)
    HEADER_DMARC = ("header-dmarc", Area.DELIVERY)
    HEADER_ARC = ("header-arc", Area.DELIVERY)
    HEADER_COMPAUTH = ("header-compauth", Area.DELIVERY)
    HEADER_SPAM = ("header-spam", Area.DELIVERY)
    HEADER_TRUST = ("header-trust", Area.DELIVERY)
    HEADER_OTHERS = ("header-others", Area.DELIVERY)

    def __init__(self, word: str, area: Area) -> None:
        self.word = word
        self.area = area
        self.why = REASONS[word]


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
