"""What the parts of this station share: the configuration, the world and the spool."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from secondpost.config.records import Config
from secondpost.deliver.entrances import Entrances
from secondpost.deliver.learning import Learning
from secondpost.deliver.opening import Opener
from secondpost.deliver.outside import ContentUnreadable
from secondpost.deliver.places import UpLately
from secondpost.deliver.primaries import Primaries
from secondpost.deliver.readers import Readers
from secondpost.deliver.refusal_budget import RefusalBudgets
from secondpost.deliver.settling import Settler, insist
from secondpost.mail.address import Domain
from secondpost.mail.delivery import Claimed, KeptFor, State
from secondpost.mail.envelope import Lane
from secondpost.mail.outcome import Cause, Deferred, Delivered, Failed, Outcome
from secondpost.mail.plan import NO_WAY, Inside, NoPlan, Plan
from secondpost.mail.questions import Asking
from secondpost.maillog import MailLog
from secondpost.route.destination import ByHosts, ByMx, road_to
from secondpost.route.hosts import Ourselves, plan_for_hosts, plan_for_mx, unanswered_hosts, unanswered_mx
from secondpost.spool.schedule import Term, handed_back, settle, term_of
from secondpost.store.ports import Claims, Lease, Settlement, StoreUnavailable
from secondpost.world.asking import Answerer, drive
from secondpost.world.ports import Clock, Dice, Disk, FileUnreadable, Net, Work

READ_OCTETS = 256 * 1024
ROUTE_SECONDS_MAX = 30.0  # for all names that a route asks for


@dataclass(frozen=True, slots=True)
class Post:
    config: Config
    clock: Clock
    dice: Dice
    net: Net
    disk: Disk
    work: Work
    claims: Claims
    settler: Settler
    learning: Learning
    budgets: RefusalBudgets
    primaries: Primaries
    readers: Readers | None  # None: this store has no mail to readers
    # Takes mail that is addressed to ourselves; the octets are its beginning.
    inside: Callable[[Claimed, bytes], Awaitable[Outcome]]
    log: MailLog
    answerer: Answerer
    us: Ourselves
    entrances: Entrances  # of all stores of this process
    up_lately: UpLately
    background: Callable[[Coroutine[None, None, None]], None]

    async def route(self, lane: Lane, domain: Domain) -> Plan | NoPlan | Inside:
        """Today's route: by today's configuration, and by DNS as it is now."""
        road = road_to(self.config, lane, domain)
        if isinstance(road, Inside):
            return road
        try:
            async with asyncio.timeout(ROUTE_SECONDS_MAX):
                return await drive(self._asking(road), self.answerer)
        except TimeoutError:
            return self.unanswered(lane, domain)

    def unanswered(self, lane: Lane, domain: Domain) -> NoPlan:
        """What the route is when DNS did not answer in time."""
        road = road_to(self.config, lane, domain)
        return unanswered_hosts(road.hosts) if isinstance(road, ByHosts) else unanswered_mx(domain)

    def opener(self, connect_seconds: float, goes_first: bool) -> Opener:
        hostname = self.config.hostname.name
        return Opener(
            self.net,
            hostname,
            self.background,
            connect_seconds,
            self.entrances,
            self.primaries.let_in,
            goes_first,
        )

    def _asking(self, road: ByHosts | ByMx) -> Asking[Plan | NoPlan]:
        if isinstance(road, ByHosts):
            return plan_for_hosts(road.hosts, road.tls, self.us)
        return plan_for_mx(road.domain, road.as_backup, self.config.deliver.port, self.us)

    def content_pieces(self, claimed: Claimed) -> Iterator[bytes]:
        """Raises LookupError when it is gone or cannot be read, StoreUnavailable."""
        if claimed.file is None:
            yield self.claims.content(claimed)
            return
        offset = 0
        while offset < claimed.size:
            piece = self._piece(claimed.file, offset)
            if len(piece) == 0:
                raise LookupError(f"{claimed.file} ends after {offset} of {claimed.size} octets")
            offset += len(piece)
            yield piece

    def body_pieces(self, claimed: Claimed) -> Iterator[bytes]:
        """The content for a connection. Raises ContentUnreadable, of which the owner is alarmed."""
        try:
            yield from self.content_pieces(claimed)
        except (LookupError, StoreUnavailable) as error:
            self.log.alarm("content-unreadable", f"{claimed.id}: {error}")
            raise ContentUnreadable(str(error)) from error

    def _piece(self, file: str, offset: int) -> bytes:
        try:
            return self.disk.read(file, offset, READ_OCTETS)
        except (FileNotFoundError, FileUnreadable) as error:
            raise LookupError(str(error)) from error

    def term(self, claimed: Claimed) -> Term:
        backup = self.config.backup_for(claimed.recipient.domain)
        return term_of(claimed.origin, backup.keep_ms if backup is not None else None)

    def conclude(self, lease: Lease, claimed: Claimed, outcome: Outcome) -> None:
        """Write down what came of an attempt, and log it."""
        settlement = settle(claimed, outcome, self.term(claimed), self.clock.now_ms(), self.dice.fraction())
        self.settler.add(lease, settlement)
        self.tell(claimed, outcome, settlement)

    async def mark_down(self, site: str, cause: Cause, detail: str) -> None:
        now_ms = self.clock.now_ms()
        next_ms = now_ms + self.config.deliver.probe_ms
        write = partial(self.claims.site_down, site, cause.word, detail, now_ms, next_ms)
        if await insist(write, f"{site} is down", self.log):
            self.log.site_down(site, cause, detail)
            if cause in (Cause.DNS, Cause.LOOP) and self._is_of_ours(site):
                self.log.alarm("no-route", f"{site}: {detail}")

    def _is_of_ours(self, site: str) -> bool:
        """Else it is the way to a domain that any stranger may have signed up with."""
        if not site.startswith(NO_WAY):
            return True
        domain = Domain(site.removeprefix(NO_WAY))
        owners = {mailbox.domain for mailbox in self.config.owner}
        return domain in owners or self.config.backup_for(domain) is not None

    async def mark_up(self, site: str) -> None:
        write = partial(self.claims.site_up, site, self.clock.now_ms())
        await insist(write, f"{site} is up", self.log)

    async def hint(self, lane: Lane, domain: Domain, site: str) -> None:
        """The domain belongs to this site."""
        if lane in (Lane.RELAY, Lane.UNVERIFIED):
            self.primaries.belongs(domain, site)
        await insist(partial(self.claims.hint_site, lane, domain, site), f"the way to {domain}", self.log)

    async def pause(self, lane: Lane, domain: Domain, until_ms: int) -> None:
        write = partial(self.claims.pause_domain, lane, domain, until_ms)
        await insist(write, f"the pause of {domain}", self.log)

    async def hand_back(self, lease: Lease, rows: Iterable[Claimed]) -> None:
        """Untried; they can be claimed again when this returns."""
        now_ms = self.clock.now_ms()
        settlements = [handed_back(row, now_ms) for row in rows]
        await insist(partial(self.claims.settle, lease, settlements), "what goes to another site", self.log)

    async def give_back(self, lease: Lease) -> None:
        """Else nobody could deliver to its site as long as this process lives."""
        await insist(partial(self.claims.give_back, lease), f"the lease of {lease.site}", self.log)

    def tell(self, claimed: Claimed, outcome: Outcome, settlement: Settlement) -> None:
        """One line in the log for what came of an attempt."""
        id, to, first = claimed.id, claimed.recipient, claimed.first_recipient
        if settlement.maybe_duplicate:
            self.log.maybe_duplicate(id, "unanswered")
        match outcome, settlement.kept_for:
            case Delivered(host, reply), _:
                self.log.delivered(id, to, host, reply, settlement.at_ms - claimed.arrived_ms, first)
                for learned in self.learning.news_of(to, settlement.at_ms):
                    self.background(self.learning.write(learned, True, "delivery", settlement.at_ms))
            case ((Deferred(_, host, reply) | Failed(_, host, reply)), KeptFor() as kept_for):
                self.log.kept(id, to, kept_for, host, reply, first)
            case Deferred(_, host, _), None if settlement.state is State.UNKNOWN:
                self.log.unknown(id, to, host)
            case Deferred(cause, host, reply), None if settlement.state is State.WAITING:
                self.log.deferred(id, to, cause, host, reply, settlement.due_ms - settlement.at_ms, first)
            case ((Deferred(cause, host, reply) | Failed(cause, host, reply)), None):
                self.log.failed(id, to, cause, host, reply, first)
