"""A world for the keeper of the certificate: files, an authority, DNS and time, as data."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from secondpost.mail.dns_questions import TlsaAnswer, TlsaRecord
from secondpost.mail.duration import DAY_MS
from secondpost.mail.questions import Finding
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.protocols.certificate_questions import (
    CertificateIssued,
    CertificateNotIssued,
    CertificateOrder,
    CertificateResult,
    CertificateWish,
    WishAnswered,
)
from secondpost.setup.certificate_alarm import Validity
from secondpost.setup.certificate_keeper import CertificateKeeper, CertificateWays, UnfitChain
from secondpost.setup.own_certificate import (
    CertificateInUse,
    CertificateStep,
    Deed,
    OrderLog,
    StoredCertificate,
)
from tests.alarms import unlogged_alarms
from tests.clock import SetClock
from tests.in_line_work import InLineWork

HOST, PAGES = "mx2.example.net", "news.example.net"
LIFE_MS = 90 * DAY_MS
TTL_SECONDS = 3600


class Killed(BaseException):
    """The process was killed."""


@dataclass
class Files:
    """What the store has. Keys are k1, k2 …, which are also their digests."""

    clock: SetClock
    in_use: CertificateInUse | None = None
    next_key: str | None = None
    log: OrderLog = field(default_factory=OrderLog)
    made: int = 0
    writes_left: int | None = None  # before the process is killed; None: it is not

    def _begins_to_write(self) -> None:
        if self.writes_left is not None:
            if self.writes_left == 0:
                raise Killed
            self.writes_left -= 1

    def read(self) -> StoredCertificate:
        return StoredCertificate(self.in_use, self.next_key, self.log)

    def write_log(self, log: OrderLog) -> None:
        self._begins_to_write()
        self.log = log

    def make_next_key(self) -> None:
        self._begins_to_write()
        self.made += 1
        self.next_key = f"k{self.made}"

    def drop_next_key(self) -> None:
        self._begins_to_write()
        self.next_key = None

    def request(self, names: tuple[str, ...], *, for_next: bool) -> str:
        key = self.next_key if for_next else self.in_use and self.in_use.digest
        return f"{key} {' '.join(names)}"

    def install(self, chain: str, names: tuple[str, ...], *, for_next: bool) -> CertificateInUse:
        key, *covered = chain.split()
        if key != (self.next_key if for_next else self.in_use and self.in_use.digest):
            raise UnfitChain("its certificate is for another key")
        self._begins_to_write()
        now_ms = self.clock.now_ms()
        self.in_use = CertificateInUse(Validity(now_ms, now_ms + LIFE_MS), tuple(covered), key, "Town CA")
        return self.in_use


@dataclass
class CertificateWorld:
    clock: SetClock = field(default_factory=SetClock)
    here: tuple[str, ...] = (HOST,)  # names that point here
    refusal: CertificateNotIssued | None = None  # what the authority says to every order
    chain: str | None = None  # what it sends; None: a fitting one
    published: Sequence[str] = ()  # the digests in DNS, at every name server
    servers: list[TlsaAnswer] | None = None  # what each name server says, if they differ
    ordered: list[CertificateOrder] = field(default_factory=list)
    orders_ms: list[int] = field(default_factory=list)
    alarms: StandingAlarms = field(default_factory=unlogged_alarms)

    def __post_init__(self) -> None:
        self.files = Files(self.clock)
        self.keeper = self.started()

    def started(self) -> CertificateKeeper:
        """A keeper in a new process, with the files as they are."""
        ways = CertificateWays(self._names, self._obtain, self._records, lambda made: None)
        return CertificateKeeper(self.files, ways, HOST, InLineWork(), self.clock, self.alarms)

    async def _names(self, covered: Sequence[str]) -> tuple[str, ...]:
        return self.here

    async def _obtain(self, order: CertificateOrder) -> CertificateResult:
        self.ordered.append(order)
        self.orders_ms.append(self.clock.now_ms())
        if self.refusal is not None:
            return self.refusal
        return CertificateIssued(order.request if self.chain is None else self.chain)

    async def _records(self) -> Sequence[TlsaAnswer]:
        return [tlsa(*self.published)] if self.servers is None else self.servers

    async def asked(self, wish: CertificateWish) -> WishAnswered:
        return await self.keeper.asked(wish)

    async def settle(self) -> CertificateStep:
        """Do what is due until there is nothing to do but wait."""
        for _ in range(20):
            step = await self.keeper.turn()
            if step.deed is Deed.WAIT:
                return step
        raise AssertionError("it never waits")

    async def live(self, ms: int) -> None:
        """Let so much time pass, with every deed at its time."""
        ends_ms = self.clock.ms + ms
        while self.clock.ms <= ends_ms:
            step = await self.settle()
            self.clock.ms = max(step.at_ms, self.clock.ms + 1)


def tlsa(*digests: str, ttl_seconds: int = TTL_SECONDS) -> TlsaAnswer:
    if len(digests) == 0:
        return TlsaAnswer(Finding.NO_NAME)
    records = tuple(TlsaRecord(3, 1, 1, digest) for digest in digests)
    return TlsaAnswer(Finding.FOUND, records, ttl_seconds=ttl_seconds)
