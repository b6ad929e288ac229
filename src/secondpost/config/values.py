"""The values that keys of the file may have beside texts and numbers: words, and forms with parts."""

from dataclasses import dataclass
from enum import StrEnum

from secondpost.mail.address import Endpoint, Mailbox
from secondpost.mail.reach import ReachSource


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


def source_text(source: RecipientSource) -> str:
    """A source of recipients as in the file."""
    match source:
        case AnyRecipient():
            return "any"
        case LearnedRecipients():
            return "learn"
        case RecipientFile(path):
            return f"file:{path}"
        case RecipientUrl(url):
            return url
        case Mailbox():
            return str(source)


class AcmeChallenge(StrEnum):
    """How we prove to a certificate authority that a name is ours."""

    HTTP = "http-01"  # on port 80
    ALPN = "tls-alpn-01"  # on port 443


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


class NetworkLookup(StrEnum):
    """How the network and the country of a caller's address are found, without a file."""

    NONE = "none"  # callers are grouped by the prefix of their address
    CYMRU = "cymru"  # asked of Team Cymru over DNS, which shows it the addresses of our callers


@dataclass(frozen=True, slots=True)
class NetworksFile:
    """`file:PATH`: a table of address ranges with their network and country."""

    path: str


NetworkSource = NetworkLookup | NetworksFile


def network_source_text(source: NetworkSource) -> str:
    """A way to find networks as in the file."""
    return f"file:{source.path}" if isinstance(source, NetworksFile) else source.value


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

    @property
    def written(self) -> str:
        """As in the file."""
        is_usual = self.url == REACH_URLS[self.source]
        return self.source.value if is_usual else f"{self.source}:{self.url}"


class Start(StrEnum):
    NEW = "new"
    EVERYTHING = "everything"


class ArticleOrder(StrEnum):
    """Order of the articles in an issue. The first one's title becomes the subject."""

    NEWEST = "newest"
    OLDEST = "oldest"
    FEED = "feed"  # as listed in the feed
