"""Records outcomes of attempts: turns each into a settlement; stores, logs and learns from it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from msgspec.structs import replace

from secondpost.config.records import Config
from secondpost.deliver.learning import Learning
from secondpost.deliver.message import Job
from secondpost.deliver.providers import ProviderTraffic
from secondpost.deliver.settling import Settler
from secondpost.deliver.stuck import StuckMail
from secondpost.mail.address import Domain
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.bounce_kind import BounceKind
from secondpost.mail.delivery import Claimed, KeptFor, State
from secondpost.mail.duration import SECOND_MS
from secondpost.mail.envelope import Lane
from secondpost.mail.metrics import NO_LEVEL, Metric
from secondpost.mail.outcome import CAUSES, Cause, Deferred, Delivered, Failed, Level, Outcome
from secondpost.mail.reply import Reply
from secondpost.mail.tally import Tally
from secondpost.maillog import MailLog
from secondpost.route.destination import route_for
from secondpost.spool.schedule import Term, handed_back, not_for, settle, stored_reply, term_of
from secondpost.store.ports import KindOfEnd, Lease, Settlement
from secondpost.world.background import Background
from secondpost.world.ports import Clock, Dice

# Says what a refusal means for the reader whose mail it was.
JudgeRefusal = Callable[[Cause, Reply], BounceKind]


@dataclass(frozen=True, slots=True)
class Outcomes:
    config: Config
    clock: Clock
    dice: Dice
    settler: Settler
    learning: Learning
    log: MailLog
    background: Background
    stuck: StuckMail
    tally: Tally
    judge: JudgeRefusal
    traffic: ProviderTraffic | None = None  # of issues

    def conclude(self, lease: Lease, claimed: Claimed, outcome: Outcome) -> None:
        """Store and log the outcome of an attempt."""
        now_ms = self.clock.now_ms()
        kind = self._kind_of(claimed, outcome)
        if kind is BounceKind.SENDER and isinstance(outcome, Failed):
            # Our fault: the mail waits until it is mended, as long as mail to a reader may.
            outcome = Deferred(outcome.cause, outcome.host, outcome.reply)
        settlement = settle(claimed, outcome, self._term(claimed), now_ms, self.dice.fraction())
        if kind is not None and settlement.state in (State.FAILED, State.EXPIRED):
            settlement = replace(settlement, returned=kind, status=outcome.reply.status)
        if lease.lane is Lane.ISSUES and self.traffic is not None:
            fault = kind is BounceKind.SENDER and self._refuses_us(outcome)
            provider = self.traffic.provider(lease.site).counted_as
            settlement = replace(settlement, provider=provider, sender_fault=fault)
            self.traffic.tried(lease.site, claimed, outcome, sender_fault=fault)
        self.settler.add(lease, settlement)
        self._say(claimed, outcome, settlement)
        self._count(claimed, outcome, settlement)
        if self.stuck.has_any and settlement.state is not State.WAITING:
            self.stuck.ended(claimed.id.queue_id)
        if isinstance(outcome, Delivered) and self.learning.may_learn_of(claimed.recipient, now_ms):
            self.background(self.learning.learn_from_delivery(claimed.recipient, now_ms))

    def _kind_of(self, claimed: Claimed, outcome: Outcome) -> BounceKind | None:
        """What the outcome says of a reader; None of other mail, and if it says nothing."""
        if claimed.subscriber is None or isinstance(outcome, Delivered) or outcome.cause is Cause.UNANSWERED:
            return None
        return self._judged(claimed.recipient.domain, outcome.cause, outcome.reply)

    def _refuses_us(self, outcome: Outcome) -> bool:
        """Whether the other host's words are about us, which counts towards its provider's pause."""
        if isinstance(outcome, Delivered) or outcome.cause is Cause.UNREADABLE:
            return False
        return self.judge(outcome.cause, outcome.reply) is BounceKind.SENDER

    def _judged(self, domain: Domain, cause: Cause, reply: Reply) -> BounceKind:
        if cause is Cause.UNREADABLE:
            return BounceKind.SENDER  # no server refused anything
        if cause.level is Level.SITE and route_for(self.config, Lane.ISSUES, domain) is not None:
            return BounceKind.SENDER  # our smart host is away: no reader can help it
        return self.judge(cause, reply)

    def kind_of_end(self, lane: Lane, domain: Domain) -> KindOfEnd | None:
        """Judges mail whose time is over by what it met last; None if it is not to readers."""
        if lane is not Lane.ISSUES:
            return None
        return lambda cause, text: self._judged(domain, CAUSES.get(cause, Cause.EXPIRED), stored_reply(text))

    def unreadable(self, lease: Lease, job: Job, why: str) -> None:
        """Defer a job that cannot be prepared, and alarm the owner."""
        self.stuck.add(AlarmKind.CONTENT_UNREADABLE, job.first.id, why)
        for row in job.claimed:
            self.conclude(lease, row, Deferred(Cause.UNREADABLE, "", Reply.of(451, "4.3.0", why)))

    def hand_back(self, lease: Lease, rows: Iterable[Claimed]) -> None:
        """Hand back rows untried."""
        now_ms = self.clock.now_ms()
        for row in rows:
            self._untried(lease)
            self.settler.add(lease, handed_back(row, now_ms))

    def withhold(self, lease: Lease, claimed: Claimed) -> None:
        """Settle a row whose recipient `[send] only_to` does not allow."""
        self._untried(lease)
        self.settler.add(lease, not_for(claimed, self.clock.now_ms()))

    def _untried(self, lease: Lease) -> None:
        if lease.lane is Lane.ISSUES and self.traffic is not None:
            self.traffic.untried(lease.site, 1)

    async def finished(self, lease: Lease) -> None:
        """Wait until all that was recorded under the lease is durable."""
        await self.settler.finished(lease)

    def _term(self, claimed: Claimed) -> Term:
        backup = self.config.backup_for(claimed.recipient.domain)
        return term_of(claimed.origin, backup.keep_ms if backup is not None else None)

    def _count(self, claimed: Claimed, outcome: Outcome, settlement: Settlement) -> None:
        tally, lane = self.tally, claimed.lane
        if settlement.maybe_duplicate:
            tally.count(Metric.DUPLICATES)
        if isinstance(outcome, Delivered):
            tally.count(Metric.ATTEMPTS, lane, State.DELIVERED, NO_LEVEL)
            tally.observe(Metric.DELAY, (settlement.at_ms - claimed.arrived_ms) / SECOND_MS, lane)
        else:
            what = "deferred" if settlement.state is State.WAITING else settlement.state
            tally.count(Metric.ATTEMPTS, lane, what, outcome.cause.level)

    def _say(self, claimed: Claimed, outcome: Outcome, settlement: Settlement) -> None:
        id, to, first = claimed.id, claimed.recipient, claimed.first_recipient
        if settlement.maybe_duplicate:
            self.log.maybe_duplicate(id, "unanswered")
        match outcome, settlement.kept_for:
            case Delivered(host, reply), _:
                self.log.delivered(id, to, host, reply, settlement.at_ms - claimed.arrived_ms, first)
            case ((Deferred(_, host, reply) | Failed(_, host, reply)), KeptFor() as kept_for):
                self.log.kept(id, to, kept_for, host, reply, first)
            case Deferred(_, host, _), None if settlement.state is State.UNKNOWN:
                self.log.unknown(id, to, host)
            case Deferred(cause, host, reply), None if settlement.state is State.WAITING:
                self.log.deferred(id, to, cause, host, reply, settlement.due_ms - settlement.at_ms, first)
            case ((Deferred(cause, host, reply) | Failed(cause, host, reply)), None):
                self.log.failed(id, to, cause, host, reply, first)
