"""The configuration as frozen records, with every default.

Sizes are in octets, durations in milliseconds. docs/settings.md has a line per key; a test compares
them.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase

from secondpost.config.versions import VERSION
from secondpost.mail.address import Domain, Endpoint, Mailbox
from secondpost.mail.duration import DAY_MS, HOUR_MS, MINUTE_MS
from secondpost.mail.envelope import Lane
from secondpost.mail.plan import Login, TlsDemand
from secondpost.mail.reach import ReachSource
from secondpost.mail.sts_policy import StsMode

DEFAULT_USER = "secondpost"
REFUSED_OCTETS_MAX = 1_000_000_000  # of mail the primary refused, for a domain without quota
REFUSED_PART_OF_QUOTA = 10  # for a domain with one: a tenth


class BareNewlines(StrEnum):
    """What to do about a bare CR or LF in a message body."""

    NORMALIZE = "normalize"  # make it CRLF and log it: old but honest senders are not refused
    REFUSE = "refuse"


class Unknown(StrEnum):
    """What to do with mail for an unknown address while the primary cannot be asked."""

    HOLD = "hold"  # accept it, and deliver after all other mail; the primary decides
    DEFER = "defer"  # 451: the sender tries again
    REJECT = "reject"  # 550


class Authenticate(StrEnum):
    """What is done about who sent a domain's mail, which SPF, DKIM, DMARC and ARC say."""

    OFF = "off"
    RECORD = "record"  # evaluated, and written into the message as Authentication-Results
    SEAL = "seal"  # and sealed with an ARC set when it is passed on

    @property
    def is_on(self) -> bool:
        return self is not Authenticate.OFF


@dataclass(frozen=True, slots=True)
class AnyRecipient:
    """`any`: every address of the domain."""


@dataclass(frozen=True, slots=True)
class LearnedRecipients:
    """`learn`: found by probing the primary and by deliveries to it."""


@dataclass(frozen=True, slots=True)
class RecipientFile:
    """`file:PATH`: one address or local part per line, re-read when changed."""

    path: str


@dataclass(frozen=True, slots=True)
class RecipientUrl:
    """`https:URL`: such a list, fetched."""

    url: str


RecipientSource = Mailbox | AnyRecipient | LearnedRecipients | RecipientFile | RecipientUrl


@dataclass(frozen=True, slots=True)
class Backup:
    """A domain whose mail we accept while its primary cannot."""

    domain: Domain
    primary: tuple[Endpoint, ...] = ()  # empty: the better MX hosts in DNS
    recipients: tuple[RecipientSource, ...] = (LearnedRecipients(),)
    keep_ms: int = 31 * DAY_MS
    keep_refused_ms: int = 7 * DAY_MS
    quota: int | None = None
    max_size: int = 50_000_000
    unknown: Unknown = Unknown.HOLD
    delimiters: str = "+"  # me+tag@ means me@; "": every address stands for itself
    authenticate: Authenticate = Authenticate.RECORD
    enforce_dmarc: bool = False  # refuse what fails DMARC where its author's domain asks for that
    trusted_sealers: tuple[Domain, ...] = ()  # whose ARC seals excuse a failed DMARC

    @property
    def refused_octets_max(self) -> int:
        """Octets of mail refused by the primary that may be kept, in addition to the quota."""
        return REFUSED_OCTETS_MAX if self.quota is None else self.quota // REFUSED_PART_OF_QUOTA


@dataclass(frozen=True, slots=True)
class Route:
    """A smart host: mail of a lane to a domain goes there instead of to the domain's MX."""

    domain: Domain | None  # None: `*`
    lane: Lane | None  # None: every lane, but with domain `*` not the relay lane
    host: Endpoint
    username: str | None = None
    password_file: str | None = None
    tls: TlsDemand | None = None  # None: encrypt with a login or on port 465, otherwise as usual

    @property
    def login(self) -> Login | None:
        if self.username is None or self.password_file is None:
            return None
        return Login(self.username, self.password_file)


@dataclass(frozen=True, slots=True)
class Receive:
    listen: tuple[Endpoint, ...] = (Endpoint("::", 25),)
    bare_newlines: BareNewlines = BareNewlines.NORMALIZE
    connections: int = 1000  # at once, in total
    connections_per_client: int = 100  # at once, per address
    recipients: int = 1000  # per transaction
    timeout_ms: int = 300_000  # RFC 5321 §4.5.3.2.7


@dataclass(frozen=True, slots=True)
class Dns:
    servers: tuple[Endpoint, ...] = ()  # empty: those of /etc/resolv.conf


@dataclass(frozen=True, slots=True)
class Deliver:
    probe_ms: int = 30_000  # interval between attempts at a site that is down
    connections_per_site: int = 20
    port: int = 25  # of MX hosts


LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"


class AcmeChallenge(StrEnum):
    """How we prove to a certificate authority that a name is ours."""

    HTTP = "http-01"  # on port 80
    ALPN = "tls-alpn-01"  # on port 443


@dataclass(frozen=True, slots=True)
class Tls:
    acme: str | None = None  # our address, for the authority; None: no certificate is got by ACME
    certificate: str | None = None
    key: str | None = None
    mta_sts: StsMode | None = None  # None: testing with `acme`, otherwise no policy is served


@dataclass(frozen=True, slots=True)
class Acme:
    """The certificate authority that `acme` of `[tls]` gets the certificate from."""

    directory: str = LETS_ENCRYPT
    challenge: AcmeChallenge | None = None  # None: whichever works
    root: str | None = None  # the path of the authority's own root; None: the system's roots
    key_id: str | None = None  # of an account that the authority gave us beforehand
    key_file: str | None = None


class DoorSpeech(StrEnum):
    """What a door of the web role speaks."""

    HTTPS = "https"
    REDIRECT = "http"  # answers the certificate authority, and leads everyone else to https
    PAGES = "pages"  # the pages without encryption, for a proxy in front


@dataclass(frozen=True, slots=True)
class WebDoor:
    endpoint: Endpoint
    written: DoorSpeech | None = None  # None: the port decides

    def __str__(self) -> str:
        return str(self.endpoint) if self.written is None else f"{self.written}://{self.endpoint}"


HTTPS_PORT, HTTP_PORT = 443, 80


@dataclass(frozen=True, slots=True)
class Web:
    url: str | None  # None: readers confirm and leave only by mail
    listen: tuple[WebDoor, ...] = (
        WebDoor(Endpoint("::", HTTPS_PORT)),
        WebDoor(Endpoint("::", HTTP_PORT)),
    )
    trusted_proxies: tuple[str, ...] = ()

    @property
    def doors(self) -> tuple[Endpoint, ...]:
        return tuple(door.endpoint for door in self.listen)

    @property
    def has_https(self) -> bool:
        """Whether the web role itself speaks TLS, and needs a certificate."""
        return any(self.speech(door) is DoorSpeech.HTTPS for door in self.listen)

    def speech(self, door: WebDoor) -> DoorSpeech:
        """Port 443 speaks https, and port 80 leads there, unless `url` is http, as on loopback."""
        if door.written is not None:
            return door.written
        is_plain = self.url is not None and self.url.startswith("http:")
        if door.endpoint.port == HTTPS_PORT and not is_plain:
            return DoorSpeech.HTTPS
        # Port 80 alone has nothing to lead to: then it is for a proxy as any other port.
        return DoorSpeech.REDIRECT if door.endpoint.port == HTTP_PORT and self.has_https else DoorSpeech.PAGES


@dataclass(frozen=True, slots=True)
class Fetch:
    allow_private: bool = False


@dataclass(frozen=True, slots=True)
class Send:
    only_to: tuple[str, ...] = ()
    unverified: bool = False

    def allows(self, mailbox: Mailbox) -> bool:
        """Whether `only_to` allows a reader: a staging copy mails only those."""
        patterns = self.only_to
        return len(patterns) == 0 or any(fnmatchcase(mailbox.key, each.casefold()) for each in patterns)


@dataclass(frozen=True, slots=True)
class Dkim:
    rsa: str = "sp-rsa"
    ed25519: str = "sp-ed"


@dataclass(frozen=True, slots=True)
class Alarms:
    """What the owner is written about, besides the addresses, which are `owner`.

    The schedules are in the grammar of mail/slot; None is "off".
    """

    webhook: str | None = None
    held_after_ms: int = 10 * MINUTE_MS  # a primary is unreachable this long before an alarm
    digest: str | None = None
    all_is_well: str | None = "monday 09:00"
    timezone: str = "UTC"


OSV = "https://api.osv.dev"


class NetworkLookup(StrEnum):
    """How the network and the country of a caller's address are found, without a file."""

    NONE = "none"  # callers are grouped by the prefix of their address
    CYMRU = "cymru"  # asked of Team Cymru over DNS, which shows it the addresses of our callers


@dataclass(frozen=True, slots=True)
class NetworksFile:
    """`file:PATH`: a table of address ranges with their network and country."""

    path: str


NetworkSource = NetworkLookup | NetworksFile


# Where each source is asked, without a slash at its end.
REACH_URLS = {
    ReachSource.GLOBALPING: "https://api.globalping.io",
    ReachSource.ATLAS: "https://atlas.ripe.net",
    ReachSource.REGISTER: "https://raw.githubusercontent.com/zapret-info/z-i/master",
    ReachSource.OONI: "https://api.ooni.org",
}


@dataclass(frozen=True, slots=True)
class ReachPlace:
    """A source of `watch reach`, and where it is asked."""

    source: ReachSource
    url: str


@dataclass(frozen=True, slots=True)
class ReachSettings:
    """From where it is watched whether the MX addresses can be reached."""

    countries: tuple[str, ...] = ()  # empty: nothing is asked, of no one
    control: str = "DE"
    every_ms: int = 30 * MINUTE_MS
    sources: tuple[ReachPlace, ...] = (
        ReachPlace(ReachSource.GLOBALPING, REACH_URLS[ReachSource.GLOBALPING]),
    )
    globalping_token_file: str | None = None
    atlas_key_file: str | None = None

    @property
    def is_on(self) -> bool:
        return len(self.countries) > 0

    def url(self, source: ReachSource) -> str | None:
        """None: the source is not asked."""
        urls = [place.url for place in self.sources if place.source is source]
        return urls[0] if self.is_on and len(urls) > 0 else None

    def key_file(self, source: ReachSource) -> str | None:
        match source:
            case ReachSource.GLOBALPING:
                return self.globalping_token_file
            case ReachSource.ATLAS:
                return self.atlas_key_file
            case _:
                return None


@dataclass(frozen=True, slots=True)
class Watch:
    """What is watched of attackers, callers and advisories."""

    networks: NetworkSource = NetworkLookup.NONE
    speed: int = 1  # how many times faster its hours pass, for tests
    advisories: bool = False  # asking for them shows the service what runs here
    advisories_url: str = OSV  # without a slash at its end

    @property
    def hour_ms(self) -> int:
        return HOUR_MS // self.speed


USUAL_METRICS = (Endpoint("127.0.0.1", 9725),)


@dataclass(frozen=True, slots=True)
class Metrics:
    """Where figures and health are shown to a monitoring system; empty for "none"."""

    listen: tuple[Endpoint, ...] = USUAL_METRICS

    @property
    def is_usual(self) -> bool:
        """Whether another program may have the port: then the service starts without it."""
        return self.listen == USUAL_METRICS


class Start(StrEnum):
    NEW = "new"
    EVERYTHING = "everything"


class ArticleOrder(StrEnum):
    """Order of the articles in an issue. The first one's title becomes the subject."""

    NEWEST = "newest"
    OLDEST = "oldest"
    FEED = "feed"  # as listed in the feed


@dataclass(frozen=True, slots=True)
class Newsletter:
    name: str
    sender: str  # the key `from`: a header value such as "The Blog <newsletter@example.net>"
    feeds: tuple[str, ...]
    every: str = "when ready"
    timezone: str = "UTC"
    min_articles: int = 2
    order: ArticleOrder = ArticleOrder.NEWEST
    title: str | None = None
    reply_to: str | None = None
    subject: str | None = None
    template: str | None = None
    language: str = "en"
    list_id: str | None = None
    approve: bool = False
    undo_ms: int = 15 * MINUTE_MS
    settle_ms: int = 10 * MINUTE_MS
    start: Start = Start.NEW
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    images: bool = True
    postal_address: str | None = None


@dataclass(frozen=True, slots=True)
class Config:
    path: str
    hostname: Domain
    store: str
    owner: tuple[Mailbox, ...]
    bounces: Domain
    web: Web
    database: str | None = None
    user: str = DEFAULT_USER
    reserve: int = 1_000_000_000
    addresses: tuple[str, ...] = ()  # our public addresses behind NAT
    tls: Tls = field(default_factory=Tls)
    acme: Acme = field(default_factory=Acme)
    receive: Receive = field(default_factory=Receive)
    dns: Dns = field(default_factory=Dns)
    deliver: Deliver = field(default_factory=Deliver)
    fetch: Fetch = field(default_factory=Fetch)
    send: Send = field(default_factory=Send)
    dkim: Dkim = field(default_factory=Dkim)
    metrics: Metrics = field(default_factory=Metrics)
    alarms: Alarms = field(default_factory=Alarms)
    watch: Watch = field(default_factory=Watch)
    reach: ReachSettings = field(default_factory=ReachSettings)
    backups: tuple[Backup, ...] = ()
    routes: tuple[Route, ...] = ()
    newsletters: tuple[Newsletter, ...] = ()
    version: int = field(default=VERSION, compare=False)  # of the file; the records are those of today's
    # The file's content, which the supervisor hands to its roles; empty if there is no file.
    text: bytes = field(default=b"", compare=False, repr=False)

    @property
    def has_pages(self) -> bool:
        """Whether there are pages for readers."""
        return len(self.newsletters) > 0 and self.web.url is not None

    @property
    def has_web(self) -> bool:
        """Whether the web role runs: for pages, to answer the certificate authority, or for policies."""
        return self.has_pages or self.tls.acme is not None or self.policy_mode is not None

    @property
    def policy_mode(self) -> StsMode | None:
        """The mode of the MTA-STS policies that are served here; None: none is.

        With ACME the names of their hosts get into the certificate by themselves.
        """
        if self.tls.mta_sts is None and self.tls.acme is not None:
            return StsMode.TESTING
        return self.tls.mta_sts

    def backup_of(self, domain: Domain) -> Backup:
        """The settings of a domain whose mail we hold; the defaults if it is no longer backed up."""
        return self.backup_for(domain) or Backup(domain)

    def backup_for(self, domain: Domain) -> Backup | None:
        for backup in self.backups:
            if backup.domain == domain:
                return backup
        return None
