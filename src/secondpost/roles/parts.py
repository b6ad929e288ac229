"""What every role is built from: its world, its stores and its rhythms."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from secondpost.config.files import OpenToRead, open_to_read
from secondpost.config.records import Config
from secondpost.deliver.rhythm import DeliverRhythm
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.mail.store_rooms import StoreRoom
from secondpost.mail.tally import Tally
from secondpost.maillog import Sink
from secondpost.protocols.dkim.signing import SigningKey
from secondpost.store.newsletter_store_ports import NewsletterStore
from secondpost.store.ports import MailStore
from secondpost.world.ports import ArrivalResolver, Clock, Dice, Disk, Net, Work

# Sockets, by their names below the store.
QUESTIONS = f"{StoreRoom.RUN_DELIVER.folder}/questions.socket"  # where the deliver role answers
HINTS = f"{StoreRoom.RUN_DELIVER.folder}/hints.socket"  # where it receives hints that there is mail
FEEDS = f"{StoreRoom.RUN_FETCH.folder}/feeds.socket"  # where the fetch role answers questions about feeds
POSTS = f"{StoreRoom.RUN_FETCH.folder}/posts.socket"  # where it is given what to post to the webhook
CERTIFICATES = f"{StoreRoom.RUN_FETCH.folder}/tls.socket"  # where it is given orders of certificates
SERVICES = f"{StoreRoom.RUN_FETCH.folder}/services.socket"  # where it is given questions to web services
REGISTER = f"{StoreRoom.RUN_FETCH.folder}/register.socket"  # where it is asked to search a register
REACH = f"{StoreRoom.RUN_DELIVER.folder}/reach.socket"  # where the deliver role is asked for a round
# Where the deliver role is asked to renew the certificate or to change its key.
WISHES = f"{StoreRoom.RUN_DELIVER.folder}/tls.socket"


@dataclass(frozen=True, slots=True)
class World:
    clock: Clock
    dice: Dice
    net: Net
    resolver: ArrivalResolver
    work: Work
    disk: Disk


@dataclass(frozen=True, slots=True)
class Rhythms:
    """Pauses between rounds of periodic work. The simulation uses longer ones."""

    checkpoint_seconds: float = 1.0
    prune_seconds: float = 60.0
    catch_all_seconds: float = 60.0
    refused_seconds: float = 60.0
    stock_seconds: float = 30.0
    certificate_seconds: float = 3_600.0
    witness_seconds: float = 60.0  # how old a copy may be that is not noticed by its epoch
    copy_seconds: float = 5.0
    policies_seconds: float = 600.0  # between two looks at what the MTA-STS policies have to name
    advisories_seconds: float = 600.0  # between two looks whether advisories are to be asked for
    alarms_seconds: float = 5.0  # between two looks at what the owner is to be sent
    arrivals_seconds: float = 300.0  # between two looks at where mail comes from
    turn_seconds: float = 2.0  # publish role
    offers_seconds: float = 5.0  # how often the receive role reads what primaries offer
    deliver: DeliverRhythm = field(default_factory=DeliverRhythm)


USUAL = Rhythms()


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of one role. A store is None for a role that may not see it."""

    config: Config
    world: World
    sink: Sink
    # Called with an error that the role cannot continue after.
    failed: Callable[[BaseException], None]
    alarms: StandingAlarms  # of the whole process, whose roles share them
    mail: MailStore | None = None
    readers: NewsletterStore | None = None
    rhythms: Rhythms = USUAL
    own_keys: Sequence[SigningKey] = ()  # for mail to the owner; without any, it is not signed
    # Files by path, as they were when the configuration was accepted: for those that are broken now.
    copies: Mapping[str, bytes] = field(default_factory=dict)
    # Opens the files that the configuration names, which lie outside the role's walls.
    open_file: OpenToRead = open_to_read
    tally: Tally = field(default_factory=Tally)  # of the whole process, as the alarms
    own_roles: frozenset[str] = frozenset()  # that this process runs
    all_roles: frozenset[str] = frozenset()  # that the configuration needs


class Role(Protocol):
    """A role is started, and later drained. When a successor takes its place, it first rests, and
    hands over once the successor has started.
    """

    async def start(self) -> None: ...

    def rest(self) -> None:
        """Begin nothing that the successor could begin; go on answering."""
        ...

    async def hand_over(self) -> None:
        """Take no new callers, and let what goes on come to its own end, within a bound."""
        ...

    async def drain(self) -> None:
        """End now, in good order."""
        ...


S = TypeVar("S", MailStore, NewsletterStore)


def opened(store: S | None) -> S:
    """The store of a role that needs it. Raises LookupError."""
    if store is None:
        raise LookupError("this role was given no store")
    return store
