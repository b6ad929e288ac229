"""A newsletter in random circumstances: what `issue next` promises at any moment must come true.

The store, ledger and publisher are real; the clock, the feed and the readers are simulated.
"""

from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

from secondpost.config.records import Newsletter
from secondpost.mail.address import Mailbox
from secondpost.mail.article import FeedUnreadable
from secondpost.mail.calendar import SlotTime, keys_alike
from secondpost.mail.duration import DAY_MS
from secondpost.mail.issue import Issue, IssueState
from secondpost.mail.moment import weekday_text
from secondpost.mail.slot import parse_slot
from secondpost.mail.subscriber import SubscriberId
from secondpost.newsletter.decisions import (
    ClockSetBack,
    GivenBack,
    InDoubt,
    Missed,
    NoReaders,
    NotApproved,
    NotDue,
    Ready,
    Settling,
    ToApprove,
    TooFew,
    Unfinished,
)
from secondpost.newsletter.issues import CLOCK_STEP_MS, LATE_MS
from secondpost.newsletter.outlook import Outlook
from secondpost.newsletter.publish import FORCED
from secondpost.newsletter.rhythm import CLOSE_MS
from secondpost.store.newsletter_ports import SlotOutcome
from tests.newsletter.blog import URL, Blog, articles

DOUBT = FeedUnreadable("It is an HTML page, not a feed.")
WINDOW = 40  # articles in the feed
STOPS_MAX = 40  # turns in one period
TURN_MS = 2_000


@dataclass(frozen=True, slots=True)
class Pass:
    """Time passes."""

    ms: int
    runs: bool = True  # whether the service runs


@dataclass(frozen=True, slots=True)
class Leap:
    """The clock is set, forward or back."""

    ms: int


@dataclass(frozen=True, slots=True)
class Change:
    """The configuration changes, and the service is restarted."""

    every: str
    timezone: str
    min_articles: int
    approve: bool
    settle_ms: int
    undo_ms: int

    def applied(self, newsletter: Newsletter) -> Newsletter:
        return replace(
            newsletter,
            every=self.every,
            timezone=self.timezone,
            min_articles=self.min_articles,
            approve=self.approve,
            settle_ms=self.settle_ms,
            undo_ms=self.undo_ms,
        )


@dataclass(frozen=True, slots=True)
class Write:
    count: int


@dataclass(frozen=True, slots=True)
class Doubt:
    """The feed becomes readable or unreadable."""

    is_bad: bool


@dataclass(frozen=True, slots=True)
class Read:
    """The reader joins or leaves."""

    is_there: bool


@dataclass(frozen=True, slots=True)
class Send:
    """`issue send`"""


@dataclass(frozen=True, slots=True)
class Stop:
    """`issue stop`"""


@dataclass(frozen=True, slots=True)
class Ask:
    """`issue next`, and then its promise is awaited."""


Step = Pass | Leap | Change | Write | Doubt | Read | Send | Stop | Ask


@dataclass
class Life:
    """`goes_by` and `begun_ms`: the expected calendar of the service, and its start."""

    blog: Blog
    written: int = 0
    is_bad: bool = False
    goes_by: tuple[object, str] | None = None
    begun_ms: int = 0
    reader: SubscriberId | None = None
    readers: int = 0  # that ever existed
    asked: set[str] = field(default_factory=set)  # kinds of decisions that were asked about

    # ---- steps

    async def live(self, step: Step) -> None:
        match step:
            case Pass(ms, True):
                await self.runs_until(self.blog.clock.ms + ms)
            case Pass(ms) | Leap(ms):
                self.blog.clock.ms += ms
            case Change() as change:
                self.blog.newsletter = change.applied(self.blog.newsletter)
                self.blog.restart()
            case Write(count):
                self.written += count
            case Doubt(is_bad):
                self.is_bad = is_bad
            case Read(is_there):
                await self._reader(is_there)
            case Send():
                await self.sends()
            case Stop():
                await self._stop()
            case Ask():
                await self.asks()

    async def _reader(self, is_there: bool) -> None:
        if is_there and self.reader is None:
            self.readers += 1  # a reader who left is not subscribed again by the owner
            self.reader = await self.blog.reads(Mailbox.parse(f"reader{self.readers}@reader.example"))
        elif not is_there and self.reader is not None:
            await self.blog.store.leave(self.reader, self.blog.clock.ms, "page")
            self.reader = None

    async def sends(self) -> bool:
        self._publish()
        told = await self.blog.publisher.send_now(self.blog.newsletter, await self.blog.leader())
        return isinstance(told.decision, Ready)

    async def _stop(self) -> None:
        for issue in await self.under_way():
            await self.blog.store.stop(issue.id, self.blog.clock.ms, "by command")

    async def under_way(self) -> list[Issue]:
        name = self.blog.newsletter.name
        return [issue for issue in await self.blog.store.issues_under_way() if issue.newsletter == name]

    # ---- the service

    def _publish(self) -> None:
        newest = range(self.written, max(self.written - WINDOW, 0), -1)
        self.blog.found[URL] = DOUBT if self.is_bad else articles(*newest)

    async def turn(self) -> Outlook:
        """One turn of the service: the calendar and the issue under way."""
        self._publish()
        now_ms, newsletter = self.blog.clock.ms, self.blog.newsletter
        is_same = self.goes_by == _calendar(newsletter)
        self.begun_ms = min(self.begun_ms, now_ms) if is_same else now_ms
        self.goes_by = _calendar(newsletter)
        issues = await self.count()
        told = await self.blog.turn()
        await self._check(told, issues)
        await self.blog.publisher.go_on([newsletter], await self.blog.leader())
        return told

    async def turn_at(self, at_ms: int) -> Outlook:
        assert at_ms >= self.blog.clock.ms
        self.blog.clock.ms = at_ms
        return await self.turn()

    async def runs_until(self, end_ms: int) -> None:
        """Run the service's turns; between these moments nothing can change."""
        for _ in range(STOPS_MAX):
            told = await self.turn()
            if any(issue.state is IssueState.SENDING for issue in await self.under_way()):
                await self.blog.delivers()
            now_ms = self.blog.clock.ms
            moments = [*await self._moments(told), now_ms + (end_ms - now_ms) // 3 + TURN_MS]
            following = min(at_ms for at_ms in moments if at_ms > now_ms)
            if following >= end_ms:
                break
            self.blog.clock.ms = following
        self.blog.clock.ms = max(end_ms, self.blog.clock.ms)

    async def _moments(self, told: Outlook) -> list[int]:
        moments = [issue.start_ms for issue in await self.under_way() if issue.start_ms is not None]
        match told.decision:
            case NotDue(next_ms=at_ms) | Settling(until_ms=at_ms):
                moments.append(at_ms)
            case InDoubt(last_ms=at_ms) | ToApprove(last_ms=at_ms) if at_ms is not None:
                moments.append(at_ms + 1)
            case _:
                pass
        return moments

    async def count(self) -> int:
        newest = await self.blog.store.issues(self.blog.newsletter.name, None, 1)
        return newest[0].number if len(newest) > 0 else 0

    async def outcome(self, key: str) -> SlotOutcome | None:
        found = await self.blog.store.slot(self.blog.newsletter.name, key)
        return None if found is None else found.outcome

    async def _check(self, told: Outlook, issues: int) -> None:
        """Check what holds after every turn, independent of promises."""
        assert await self.count() - issues == isinstance(told.decision, Ready)
        for slot in _over(told):
            assert slot.at_ms > self.begun_ms, f"{slot} was before the calendar began, {told.reason}"
        if isinstance(told.decision, Ready):
            made = (await self.blog.store.issues(self.blog.newsletter.name, None, 1))[0]
            spent = [key for key in keys_alike(made.slot) if key != made.slot]
            outcomes = [await self.outcome(key) for key in spent]
            assert outcomes == [None] * len(spent), f"{made.slot} had its issue"

    # ---- promises

    async def asks(self) -> None:
        """Ask like `issue next`, which fetches the feed first."""
        self._publish()
        blog = self.blog
        await blog.publisher.fetch(blog.newsletter)
        told = await blog.publisher.outlook(blog.newsletter)
        self.asked.add(type(told.decision).__name__)
        match told.decision:
            case NotDue(next_ms=next_ms):
                self._says(told, next_ms)
                await self._nothing_before(next_ms)
            case (
                TooFew(next_ms=int() as next_ms, spent=SlotTime() as spent)
                | NoReaders(next_ms=int() as next_ms, spent=SlotTime() as spent)
                | Missed(slot=spent, next_ms=int() as next_ms)
                | NotApproved(slot=spent, next_ms=int() as next_ms)
            ):
                self._says(told, next_ms)
                await self.turn()
                assert await self.outcome(spent.key) is not None
                await self._nothing_before(next_ms)
            case TooFew(waits_for_approval=waits):
                assert ("the issue waits for your approval." in told.reason) == waits
                await self._comes_with_articles(waits)
            case NoReaders(waits_for_approval=waits):
                assert ("the issue waits for your approval once" in told.reason) == waits
                assert isinstance((await self.turn()).decision, NoReaders)
                await self._reader(True)
                await self._comes(waits)
            case Settling(until_ms=until_ms):
                self._says(told, until_ms)
                await self._settles(until_ms)
            case InDoubt(last_ms=last_ms):
                await self._stays_in_doubt(told, last_ms)
            case ToApprove(last_ms=last_ms):
                await self._waits_for_approval(told, last_ms)
            case Unfinished(issue):
                await self._goes_on(issue)
            case GivenBack():
                for ms in (0, DAY_MS, 30 * DAY_MS):
                    assert isinstance((await self.turn_at(blog.clock.ms + ms)).decision, GivenBack)
                await self._comes_with_articles(waits=False)
            case ClockSetBack(recorded_ms):
                for at_ms in (blog.clock.ms, recorded_ms - CLOCK_STEP_MS - 1):
                    assert isinstance((await self.turn_at(at_ms)).decision, ClockSetBack)
                told = await self.turn_at(recorded_ms - CLOCK_STEP_MS)
                assert not isinstance(told.decision, ClockSetBack)
            case Ready(draft):
                assert isinstance((await self.turn()).decision, Ready)
                assert await self.outcome(draft.slot) is SlotOutcome.ISSUED
                await self._goes_on((await self.under_way())[0])
            case other:
                raise AssertionError(f"a decision without a rule: {other}")

    def _says(self, told: Outlook, at_ms: int) -> None:
        zone = ZoneInfo(self.blog.newsletter.timezone)
        assert weekday_text(at_ms, zone, self.blog.clock.ms) in told.reason

    async def _nothing_before(self, next_ms: int) -> None:
        """Until that moment there must be no decision, and then there must be one."""
        assert next_ms > self.blog.clock.ms
        first_ms = self.blog.clock.ms
        for at_ms in (first_ms, first_ms + (next_ms - first_ms) // 2, next_ms - 1):
            told = await self.turn_at(at_ms)
            assert isinstance(told.decision, NotDue)
            assert told.decision.next_ms == next_ms
        told = await self.turn_at(next_ms)
        match told.decision:
            case TooFew(spent=spent) | NoReaders(spent=spent):
                assert spent is not None
                assert spent.at_ms == next_ms
                assert await self.outcome(spent.key) is SlotOutcome.SKIPPED
            case InDoubt(last_ms=last_ms) | ToApprove(last_ms=last_ms):
                assert last_ms == next_ms + LATE_MS
            case Settling(until_ms=until_ms):
                assert next_ms < until_ms <= next_ms + LATE_MS
            case Ready(draft):
                assert await self.outcome(draft.slot) is SlotOutcome.ISSUED
            case other:
                raise AssertionError(f"promised for {next_ms}, and there is {other}")

    async def _comes(self, waits: bool) -> None:
        """There is enough: the issue is made, or the owner is asked."""
        told = await self.turn()
        assert isinstance(told.decision, ToApprove if waits else Ready), told.reason

    async def _comes_with_articles(self, waits: bool) -> None:
        """`when ready`: as soon as there are enough articles."""
        await self.turn()
        self.written += 5
        self.is_bad = False
        if self.reader is None:
            await self._reader(True)
        await self.turn_at(self.blog.clock.ms + CLOSE_MS)
        settle_ms = self.blog.newsletter.settle_ms
        if settle_ms > 0 and len(await self.under_way()) == 0:
            await self.turn_at(self.blog.clock.ms + max(settle_ms, CLOSE_MS))
        told = await self.blog.publisher.outlook(self.blog.newsletter)
        assert isinstance(told.decision, ToApprove if waits else Unfinished), told.reason

    async def _settles(self, until_ms: int) -> None:
        for at_ms in (self.blog.clock.ms, until_ms - 1):
            told = await self.turn_at(at_ms)
            assert isinstance(told.decision, Settling), told.reason
            assert told.decision.until_ms == until_ms
        told = await self.turn_at(until_ms)
        assert isinstance(told.decision, Ready | ToApprove | NoReaders), told.reason

    async def _stays_in_doubt(self, told: Outlook, last_ms: int | None) -> None:
        until_ms = self.blog.clock.ms + 3 * DAY_MS if last_ms is None else last_ms
        for at_ms in (self.blog.clock.ms, until_ms):
            told = await self.turn_at(at_ms)
            assert isinstance(told.decision, InDoubt)
            assert told.decision.last_ms == last_ms
        if last_ms is not None and self.written % 2 == 0:
            self._says(told, last_ms)
            assert isinstance((await self.turn_at(last_ms + 1)).decision, Missed)
            return
        self.is_bad = False
        if last_ms is None:
            told = await self.turn_at(self.blog.clock.ms + CLOSE_MS)
        else:  # the owner's fetch finds it at the last moment
            self._publish()
            await self.blog.publisher.fetch(self.blog.newsletter)
            told = await self.turn()
        assert not isinstance(told.decision, InDoubt | Missed | NotDue), told.reason

    async def _waits_for_approval(self, told: Outlook, last_ms: int | None) -> None:
        until_ms = self.blog.clock.ms + 30 * DAY_MS if last_ms is None else last_ms
        for at_ms in (self.blog.clock.ms, until_ms):
            told = await self.turn_at(at_ms)
            assert isinstance(told.decision, ToApprove), told.reason
            assert told.decision.last_ms == last_ms
        if last_ms is not None and self.written % 2 == 0:
            self._says(told, last_ms)
            assert isinstance((await self.turn_at(last_ms + 1)).decision, NotApproved)
            return
        assert await self.sends()
        sent = (await self.under_way())[0]
        assert sent.slot.startswith(FORCED)
        await self._goes_on(sent)
        if last_ms is not None:  # the slot is used: the owner is not asked about it again
            assert isinstance((await self.turn()).decision, NotDue)

    async def _goes_on(self, issue: Issue) -> None:
        """Follow the issue to its end, as far as time permits."""
        found = await self.blog.store.issue(issue.id)
        assert found is not None
        if found.state is IssueState.FROZEN and found.start_ms is not None:
            if found.start_ms > self.blog.clock.ms:
                told = await self.turn_at(found.start_ms - 1)
                self._says(told, found.start_ms)
                assert (await self.under_way())[0].state is IssueState.FROZEN
            await self.turn_at(max(found.start_ms, self.blog.clock.ms))
            assert (await self.under_way())[0].state is IssueState.SENDING
        # If the clock was set back, its mail waits too.
        self.blog.clock.ms = max(self.blog.clock.ms, found.start_ms or 0)
        await self.blog.delivers()
        await self.turn()
        assert len(await self.under_way()) == 0


def _over(told: Outlook) -> list[SlotTime]:
    match told.decision:
        case TooFew(spent=SlotTime() as slot) | NoReaders(spent=SlotTime() as slot):
            return [slot]
        case Missed(slot=slot) | NotApproved(slot=slot):
            return [slot]
        case _:
            return []


def _calendar(newsletter: Newsletter) -> tuple[object, str]:
    return parse_slot(newsletter.every), newsletter.timezone
