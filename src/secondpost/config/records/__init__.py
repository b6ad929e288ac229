"""The configuration as frozen records, with every default, and beside each field what its key says.

Sizes are in octets, durations in milliseconds. `backup`, `certificate`, `doors`, `newsletter`,
`route`, `sending` and `watching` have the tables.
"""

from dataclasses import dataclass, field
from typing import Annotated

from secondpost.config import addresses, forms, grammars
from secondpost.config.key import Key, ListForm, ValueForm
from secondpost.config.records.backup import DOMAIN, NOWHERE, REFUSED_OCTETS_MAX, Backup
from secondpost.config.records.certificate import LETS_ENCRYPT, Acme, Tls
from secondpost.config.records.doors import Metrics, Receive, Web
from secondpost.config.records.newsletter import Newsletter
from secondpost.config.records.route import Route
from secondpost.config.records.sending import Deliver, Dkim, Dns, Fetch, Send
from secondpost.config.records.watching import Alarms, ReachSettings, Watch
from secondpost.config.values import (
    REACH_URLS,
    AcmeChallenge,
    AnyRecipient,
    ArticleOrder,
    Authenticate,
    BareNewlines,
    DoorSpeech,
    LearnedRecipients,
    NetworkLookup,
    NetworksFile,
    NetworkSource,
    ReachPlace,
    RecipientFile,
    RecipientSource,
    RecipientUrl,
    Start,
    Unknown,
    WebDoor,
)
from secondpost.config.versions import VERSION
from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.envelope import Lane
from secondpost.mail.sts_policy import StsMode

__all__ = [
    "DEFAULT_USER",
    "LETS_ENCRYPT",
    "REACH_URLS",
    "REFUSED_OCTETS_MAX",
    "Acme",
    "AcmeChallenge",
    "Alarms",
    "AnyRecipient",
    "ArticleOrder",
    "Authenticate",
    "Backup",
    "BareNewlines",
    "Config",
    "Deliver",
    "Dkim",
    "Dns",
    "DoorSpeech",
    "Fetch",
    "LearnedRecipients",
    "Metrics",
    "NetworkLookup",
    "NetworkSource",
    "NetworksFile",
    "Newsletter",
    "ReachPlace",
    "ReachSettings",
    "Receive",
    "RecipientFile",
    "RecipientSource",
    "RecipientUrl",
    "Route",
    "Send",
    "Start",
    "Tls",
    "Unknown",
    "Watch",
    "Web",
    "WebDoor",
]

DEFAULT_USER = "secondpost"
IP_ADDRESS = ValueForm("an IP address", addresses.ip_address)
RESERVE_OCTETS_MAX = 100 * 10**12


@dataclass(frozen=True, slots=True)
class Config:
    path: str
    hostname: Annotated[
        Domain,
        Key(
            DOMAIN,
            "The full name of this server, as in the second MX record of your domain.",
            '"mx2.example.net"',
            need='write hostname = "mx2.example.net"',
            missing=NOWHERE,
        ),
    ]
    store: Annotated[
        str,
        Key(
            ValueForm("an absolute path", grammars.store),
            "The folder where everything is kept: mail, keys, sockets. It must be an absolute path of "
            "at most 77 octets, so that the names of the sockets fit.",
            '"/var/lib/secondpost"',
            need='write store = "/var/lib/secondpost"',
            missing="",
        ),
    ]
    owner: Annotated[
        tuple[Mailbox, ...],
        Key(
            ListForm(ValueForm("a mail address", addresses.utf8_mailbox)),
            "Your own addresses: they get mail to postmaster and abuse, and alarms (`[alarms]`). At "
            "least one must be in a domain that is not backed up here, or an alarm that your provider "
            "is down would wait for your provider.",
            '["me@elsewhere.example"]',
            need='write owner = ["me@elsewhere.example"]',
            missing=(),
        ),
    ]
    bounces: Annotated[
        Domain,
        Key(
            DOMAIN,
            "The domain to which bounces of our own mail return; its MX must be this server.",
            '"mx2.example.net"',
            default="the hostname",
        ),
    ]
    web: Web
    database: Annotated[
        str | None,
        Key(
            ValueForm("the address of a PostgreSQL server", grammars.database),
            "The address of a PostgreSQL server, for when one machine is not enough. This version "
            "keeps its mail in SQLite, in `store`, and refuses the key.",
            "",
            default="none",
            is_secret=True,
        ),
    ] = None
    user: Annotated[
        str,
        Key(
            ValueForm("the name of a user of this machine", grammars.user),
            "The user that the service becomes when root starts it.",
            '"mail"',
        ),
    ] = DEFAULT_USER
    reserve: Annotated[
        int,
        Key(
            forms.size(0, RESERVE_OCTETS_MAX),
            "How much disk space is kept free: with less, new mail gets a temporary error, so that "
            "the service can always finish its work. Mail that is arriving counts too, and so do "
            "sizes declared with SIZE, up to a quarter of the free space.",
            '"5 GB"',
        ),
    ] = 1_000_000_000
    addresses: Annotated[
        tuple[str, ...],
        Key(
            ListForm(IP_ADDRESS),
            "Public addresses of this server that it does not know itself, because it is behind NAT. "
            "Mail is never passed on to them.",
            '["192.0.2.25"]',
        ),
    ] = ()
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

    @property
    def warms_up(self) -> bool:
        """Whether providers are to get used to mail of issues from here. A smart host has a standing of
        its own.
        """
        smart = any(each.domain is None and each.lane in (None, Lane.ISSUES) for each in self.routes)
        return self.send.warm_up and not smart

    def backup_of(self, domain: Domain) -> Backup:
        """The settings of a domain whose mail we hold; the defaults if it is no longer backed up."""
        return self.backup_for(domain) or Backup(domain)

    def backup_for(self, domain: Domain) -> Backup | None:
        for backup in self.backups:
            if backup.domain == domain:
                return backup
        return None
