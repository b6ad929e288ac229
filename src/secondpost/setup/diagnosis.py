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

    # -- DNS: this server's own name
    DNS_ANSWERS = (
        "dns-answers",
        Area.DNS,
        "While DNS does not answer, senders find neither this server nor its proofs.",
    )
    HOST_ADDRESS = (
        "host-address",
        Area.DNS,
        "Senders connect to the addresses of the hostname: a wrong one leads to another machine.",
    )
    HOST_REVERSE = (
        "reverse-name",
        Area.DNS,
        "Large providers refuse mail from an address whose name does not lead back to it.",
    )
    WEB_ADDRESS = (
        "web-address",
        Area.DNS,
        "Readers confirm and leave on these pages.",
    )
    IPV6 = (
        "ipv6",
        Area.DNS,
        "Some networks reach the rest of the internet over IPv6 alone.",
    )
    CAA = (
        "caa",
        Area.DNS,
        "CAA records decide which authorities may issue a certificate for this server.",
    )

    # -- DNS: the mail hosts of backup domains, and of bounces
    MX_PLACE = (
        "mx-place",
        Area.DNS,
        "Senders find this server only if it is among the domain's MX records.",
    )
    MX_PREFERENCE = (
        "mx-preference",
        Area.DNS,
        "A backup comes after every other host, or mail comes here although the primary is well.",
    )
    MX_PRIMARY = (
        "mx-primary",
        Area.DNS,
        "A backup hands mail to a better host: without one the mail waits until it is too old.",
    )
    MX_LOOP = (
        "mx-loop",
        Area.DNS,
        "If the primary's name leads to this server, mail would go round in a circle.",
    )
    MX_TARGET = (
        "mx-target",
        Area.DNS,
        "An MX record names a host with addresses; senders skip or refuse anything else.",
    )
    MX_NULL = (
        "mx-null",
        Area.DNS,
        "A null MX says that the domain takes no mail at all: senders give up at once.",
    )
    WILDCARD = (
        "wildcard",
        Area.DNS,
        "A wildcard record answers for names that do not exist, also for those of mail policies.",
    )
    BOUNCES_MX = (
        "bounces-mx",
        Area.DNS,
        "Reports about mail to readers, and mail by which readers leave, come to this domain.",
    )

    # -- DNS: who may send, and what proves it
    SPF_RECORD = (
        "spf-record",
        Area.DNS,
        "Without exactly one SPF record, receivers cannot tell this server from a forger.",
    )
    SPF_SYNTAX = (
        "spf-syntax",
        Area.DNS,
        "A record with a mistake counts as a permanent error, and mail as unproved.",
    )
    SPF_LOOKUPS = (
        "spf-lookups",
        Area.DNS,
        "Receivers give up after ten look-ups (RFC 7208), and mail counts as unproved.",
    )
    SPF_STRICTNESS = (
        "spf-strictness",
        Area.DNS,
        "The end of the record says what becomes of mail from all other addresses.",
    )
    SPF_SENDER = (
        "spf-sender",
        Area.DNS,
        "The record must allow the addresses from which the mail really comes.",
    )
    DKIM_RECORD = (
        "dkim-record",
        Area.DNS,
        "Signatures can be checked only with the public key in DNS, in one record per selector.",
    )
    DKIM_SYNTAX = (
        "dkim-syntax",
        Area.DNS,
        "A key record with a mistake is no key: every signature fails.",
    )
    DKIM_KEY = (
        "dkim-key",
        Area.DNS,
        "If DNS has another key than this server signs with, every signature fails.",
    )
    DKIM_REVOKED = (
        "dkim-revoked",
        Area.DNS,
        "An empty key says that every signature made with it is void.",
    )
    DKIM_TESTING = (
        "dkim-testing",
        Area.DNS,
        "In test mode receivers treat signed mail as if it were unsigned.",
    )
    DMARC_RECORD = (
        "dmarc-record",
        Area.DNS,
        "Large providers require exactly one DMARC record from everyone who sends to many.",
    )
    DMARC_SYNTAX = (
        "dmarc-syntax",
        Area.DNS,
        "A record with a mistake counts as none.",
    )
    DMARC_POLICY = (
        "dmarc-policy",
        Area.DNS,
        "Only quarantine or reject keeps others from writing mail in the domain's name.",
    )
    DMARC_ALIGNMENT = (
        "dmarc-alignment",
        Area.DNS,
        "DMARC counts a signature or SPF only if its domain belongs to the one in From.",
    )

    # -- DNS: encryption that senders can insist on
    TLSA_RECORD = (
        "tlsa-record",
        Area.DNS,
        "With a TLSA record in a signed zone, senders cannot be led to a forged server (DANE).",
    )
    TLSA_SIGNED = (
        "tlsa-signed",
        Area.DNS,
        "Senders ignore TLSA records in a zone that is not signed.",
    )
    TLSA_MATCH = (
        "tlsa-match",
        Area.DNS,
        "Senders that use DANE deliver only to a server whose key the TLSA records name.",
    )
    TLSA_ROLLOVER = (
        "tlsa-rollover",
        Area.DNS,
        "A second record for the next key lets the certificate change without refused mail.",
    )
    STS_ID = (
        "mta-sts-id",
        Area.DNS,
        "Senders fetch the policy only if there is one record with an id, and again when it changes.",
    )
    STS_POLICY = (
        "mta-sts-policy",
        Area.DNS,
        "Senders obey the policy only if it is served as RFC 8461 says.",
    )
    STS_HOSTS = (
        "mta-sts-hosts",
        Area.DNS,
        "Senders that obey the policy deliver only to the hosts that it names.",
    )
    STS_MODE = (
        "mta-sts-mode",
        Area.DNS,
        "Only the mode enforce protects mail; testing and none change nothing for senders.",
    )
    TLS_REPORTS = (
        "tls-reports",
        Area.DNS,
        "Large providers report once a day whether their mail came encrypted (TLS-RPT).",
    )

    # -- DNS: the zones themselves
    DNSSEC = (
        "dnssec",
        Area.DNS,
        "Answers of a signed zone cannot be forged, and DANE needs one.",
    )
    NAME_SERVERS = (
        "name-servers",
        Area.DNS,
        "A zone is found over IPv6 if at least two of its name servers have an IPv6 address.",
    )
    RPKI = (
        "rpki",
        Area.DNS,
        "Signed routes keep another network from taking over the addresses of mail hosts.",
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

    # -- the certificate, and our own port
    CERTIFICATE = (
        "certificate",
        Area.SECURITY,
        "Without a certificate and its key, mail crosses the internet in the clear.",
    )
    CERTIFICATE_NAMES = (
        "certificate-names",
        Area.SECURITY,
        "Senders that follow MTA-STS hand over no mail to a host whose name the certificate lacks.",
    )
    CERTIFICATE_DAYS = (
        "certificate-days",
        Area.SECURITY,
        "Senders that check certificates refuse an expired one, and the mail waits with them.",
    )
    CERTIFICATE_CHAIN = (
        "certificate-chain",
        Area.SECURITY,
        "Senders that follow MTA-STS trust a certificate only through its whole chain.",
    )
    CERTIFICATE_STRENGTH = (
        "certificate-strength",
        Area.SECURITY,
        "A weak key or signature can be forged, and some senders refuse it.",
    )
    OWN_STARTTLS = (
        "own-starttls",
        Area.SECURITY,
        "What senders see at port 25 decides whether their mail is encrypted, not what the files hold.",
    )

    # -- its view of the world
    RESOLVER = (
        "resolver",
        Area.SECURITY,
        "Without an answer from DNS no mail finds its way.",
    )
    RESOLVER_TRUTH = (
        "resolver-truth",
        Area.SECURITY,
        "A resolver that invents addresses leads mail for mistyped domains to strangers.",
    )

    RESOLVER_PLACE = (
        "resolver-place",
        Area.SECURITY,
        "Block lists answer no resolver that many share, and its answers can be changed on their way.",
    )
    RESOLVER_DNSSEC = (
        "resolver-dnssec",
        Area.SECURITY,
        "Without validation a forged answer leads mail to another server; DANE needs it too.",
    )
    PORTS = (
        "ports",
        Area.SECURITY,
        "If another program has a port, the service does not start.",
    )

    # -- reachability
    PORT_25_OUT = (
        "port-25-out",
        Area.DELIVERY,
        "Mail servers take mail on port 25 only, and many hosting companies close it.",
    )
    PORT_25_IN = (
        "port-25-in",
        Area.DELIVERY,
        "If senders cannot reach port 25, they cannot hand over the mail that the primary cannot take.",
    )
    BLOCK_LIST = (
        "block-list",
        Area.DELIVERY,
        "Many servers refuse mail from addresses on these lists.",
    )

    # -- the primary of each backup domain
    PRIMARY_REACHABLE = (
        "primary-reachable",
        Area.DELIVERY,
        "Held mail ends at the primary: it waits here for as long as no host of it answers.",
    )
    PRIMARY_TLS = (
        "primary-tls",
        Area.DELIVERY,
        "On the way to the primary mail can be read, or taken by another server, unless TLS protects it.",
    )
    PRIMARY_TRUST = (
        "primary-trust",
        Area.DELIVERY,
        "A primary that judges this server like a stranger refuses other people's mail that passes it.",
    )
    PRIMARY_CATCH_ALL = (
        "primary-catch-all",
        Area.DELIVERY,
        "If the primary takes every address, it cannot tell which exist, and spam for all of them is held.",
    )
    PRIMARY_OFFERS = (
        "primary-offers",
        Area.DELIVERY,
        "What the primary does not take is refused here at once, before it waits for nothing.",
    )
    RECIPIENTS_KNOWN = (
        "recipients-known",
        Area.DELIVERY,
        "While the primary is away only known recipients are certain to exist.",
    )
    HELD_MAIL = (
        "held-mail",
        Area.DELIVERY,
        "Mail is held for as long as `keep` says, and then kept for the owner to decide.",
    )

    # -- our own mail
    OWNER_ROUTE = (
        "owner-route",
        Area.DELIVERY,
        "Alarms must reach the owner while other roads are blocked.",
    )
    SMART_HOST = (
        "smart-host",
        Area.DELIVERY,
        "Mail that a route sends to a smart host waits until that host takes it.",
    )

    # -- the newsletters
    SIGN_UP_PAGE = (
        "sign-up-page",
        Area.DELIVERY,
        "Readers sign up, confirm and leave on these pages, by links that are in every mail.",
    )
    LEAVE_LINK = (
        "leave-link",
        Area.DELIVERY,
        "Large providers want a link that unsubscribes in one step, and punish senders without one.",
    )
    FEED = (
        "feed",
        Area.DELIVERY,
        "An issue is made of the articles in the feed: without it there is none.",
    )
    POSTAL_ADDRESS = (
        "postal-address",
        Area.DELIVERY,
        "Some countries want a postal address in every newsletter (in the USA: CAN-SPAM).",
    )
    SIGNING_KEYS = (
        "signing-keys",
        Area.DELIVERY,
        "Mail to readers is signed with these keys (DKIM), and most providers refuse it unsigned.",
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
