"""From feeds to issues: reads, decides, makes the issue and sees it through. One process leads at a
time.

Decisions are made in `issues`; reading is done by `reading`. Every step is stored before the next,
so that after a crash the next leader continues where it stopped.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from secondpost.config.records import Newsletter
from secondpost.mail.article_states import ArticleState
from secondpost.mail.calendar import AskingForSlots, SlotTimes, slot_times
from secondpost.mail.duration import HOUR_MS, MINUTE_MS
from secondpost.mail.issue import ArticleId, Issue, IssueId, IssueState, LetterDraft
from secondpost.mail.moment import weekday_text
from secondpost.mail.queue_id import QueueIds
from secondpost.mail.slot import parse_slot
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.maillog import MailLog
from secondpost.newsletter.decisions import (
    IssueDecision,
    Missed,
    NotProven,
    Ready,
    ToApprove,
    Unproven,
)
from secondpost.newsletter.eligible import Ripeness, ripeness
from secondpost.newsletter.forecasting import Forecasting, forecast_text
from secondpost.newsletter.issue_alarms import IssueAlarms
from secondpost.newsletter.issues import (
    IssueHistory,
    IssueRules,
    decide,
    decide_forced,
    held_up,
    last_chance_ms,
    outcome,
    title_octets,
)
from secondpost.newsletter.next_slot import next_slot
from secondpost.newsletter.order import in_order
from secondpost.newsletter.outlook import NOTHING_BESIDE, Beside, Outlook, beside, reason
from secondpost.newsletter.reading import FeedReading
from secondpost.newsletter.rhythm import is_due, may_be_asked
from secondpost.newsletter.since import calendar_since, is_other
from secondpost.store.approval_ports import Approval
from secondpost.store.newsletter_ports import (
    IssueRefused,
    LedgerEntry,
    SlotOutcome,
    SlotRecord,
)
from secondpost.store.newsletter_store_ports import IssuesMade
from secondpost.store.ports import Lease
from secondpost.world.ports import Clock

FRESH_MS = MINUTE_MS  # a look at most this old is recent enough to make an issue (R15)
TRY_AGAIN_MS = HOUR_MS  # after an issue could not be made
FREEZE_ROWS = 500  # per transaction
SEND_ROWS = 250  # per transaction; these rows cost more
FORCED = "forced-"


@dataclass(frozen=True, slots=True)
class IssueText:
    """The composed text of an issue, the same for all readers."""

    subject: str
    content: bytes


class CannotCompose(Exception):
    """The composed issue must not be sent. The text is for the owner."""


# Raises CannotCompose.
Composing = Callable[[Newsletter, Issue, Sequence[LedgerEntry]], Awaitable[IssueText]]

# Which duty of its sender a newsletter does not fulfil, with what mends it; None if it fulfils all.
WhyUnproven = Callable[[Newsletter], Awaitable[str | None]]

_LookBeside = Callable[[Newsletter, IssueHistory, Ripeness], Awaitable[Beside]]
_Decider = Callable[[Ripeness, IssueHistory, IssueRules, int], IssueDecision]


async def needs_no_proof(newsletter: Newsletter) -> str | None:
    """For `[send] unverified = true`."""
    return None


class Publisher:
    def __init__(
        self,
        reading: FeedReading,
        issues: IssuesMade,
        clock: Clock,
        ids: QueueIds,
        compose: Composing,
        log: MailLog,
        alarms: StandingAlarms,
        why_unproven: WhyUnproven = needs_no_proof,
        foresee: Forecasting | None = None,
    ) -> None:
        """Without `foresee` no forecast of an issue is logged."""
        self._reading = reading
        self._issues = issues
        self._clock = clock
        self._ids = ids
        self._compose = compose
        self._log = log
        self._alarms = IssueAlarms(alarms)
        self._why_unproven = why_unproven
        self._foresee = foresee
        self._faulty: dict[IssueId, int] = {}  # issues not made, and when that was tried
        # Newsletters whose issue could not be created at the last turn, or waits for a proof.
        self._refused: set[str] = set()
        self._read_ms: dict[str, int] = {}  # by newsletter: end of the last round over its feeds

    # ---- fetching

    async def fetch(self, newsletter: Newsletter) -> None:
        """Fetch all feeds now, whatever their rhythm and their servers ask for: the owner wants it."""
        if await self._issues.calendar(newsletter.name) is None:
            await self._keep_calendar(newsletter)
        await self._fetch(newsletter, newsletter.feeds)

    async def _fetch(self, newsletter: Newsletter, urls: Collection[str]) -> None:
        before = await self._reading.feeds(newsletter)
        await self._reading.read(newsletter, urls)
        self._alarms.read(newsletter, before, await self._reading.feeds(newsletter))

    async def look(self, newsletter: Newsletter) -> None:
        """Fetch each feed when it is time, and all once more just before an issue.

        Needs no lead, and may take as long as the slowest feed.
        """
        # The service alone does this: a command may read a changed file before the service does.
        await self._keep_calendar(newsletter)
        now_ms, feeds = self._clock.now_ms(), await self._reading.feeds(newsletter)
        urls = [url for url, feed in feeds.items() if is_due(feed, now_ms)]
        if not await self._is_fresh(newsletter) and _is_time(await self._due(newsletter)):
            urls = [url for url, feed in feeds.items() if may_be_asked(feed, now_ms)]
            is_whole_round = True
        else:
            is_whole_round = len(urls) == len(feeds)
        if len(urls) > 0:
            before = await self._reading.causes_held(newsletter)
            await self._fetch(newsletter, urls)
            held = await self._reading.causes_held(newsletter)
            self._alarms.articles_held(newsletter, before, held)
        if is_whole_round:
            self._read_ms[newsletter.name] = self._clock.now_ms()

    async def _is_fresh(self, newsletter: Newsletter) -> bool:
        """Whether the feeds were fetched recently enough to make an issue (R15)."""
        last_ms = max(await self._looked_ms(newsletter), self._read_ms.get(newsletter.name, 0))
        return 0 <= self._clock.now_ms() - last_ms < FRESH_MS

    async def _due(self, newsletter: Newsletter) -> Outlook:
        return await self._outlook(newsletter, decide, _look_nowhere)

    async def _keep_calendar(self, newsletter: Newsletter) -> None:
        known = await self._issues.calendar(newsletter.name)
        kept = calendar_since(known, newsletter, self._clock.now_ms())
        if kept != known:
            await self._issues.set_calendar(kept)

    async def outlook(self, newsletter: Newsletter) -> Outlook:
        """The outlook for the next issue by the calendar, from what is known now."""
        return await self._outlook(newsletter, decide, self._beside)

    async def outlook_forced(self, newsletter: Newsletter) -> Outlook:
        """The outlook for an issue that the owner wants now."""
        return await self._outlook(newsletter, decide_forced, self._beside)

    async def unproven(self, newsletter: Newsletter) -> str | None:
        """Which duty of its sender the newsletter does not fulfil; None if it fulfils all."""
        return await self._why_unproven(newsletter)

    async def _outlook(self, newsletter: Newsletter, decider: _Decider, look_beside: _LookBeside) -> Outlook:
        found, desk, rules, now_ms = await self._known(newsletter)
        unproven = await self._why_unproven(newsletter)
        decision = _if_proven(decider(found, desk, rules, now_ms), unproven, newsletter.name, desk)
        others = await look_beside(newsletter, desk, found)
        why = reason(
            newsletter.name, decision, found, others, lambda at_ms: weekday_text(at_ms, rules.zone, now_ms)
        )
        return Outlook(
            newsletter.name, found.count, len(found.unripe), rules.minimum, why, decision, found.unripe
        )

    async def _known(self, newsletter: Newsletter) -> tuple[Ripeness, IssueHistory, IssueRules, int]:
        now_ms = self._clock.now_ms()
        rules = rules_of(newsletter)
        waiting, feeds = await self._reading.waiting(newsletter), await self._reading.feeds(newsletter)
        found = ripeness(waiting, feeds, newsletter.settle_ms, now_ms)
        return found, await self._desk(newsletter, waiting, rules, now_ms), rules, now_ms

    async def _beside(self, newsletter: Newsletter, desk: IssueHistory, found: Ripeness) -> Beside:
        held = await self._reading.entries(newsletter, ArticleState.HELD)
        has_seen = await self._reading.has_any(newsletter, ArticleState.SEEN)
        others = found.count + len(found.unripe) + desk.last_number
        known = await self._issues.calendar(newsletter.name)
        return beside(
            await self._reading.feeds(newsletter),
            held,
            is_only_past=has_seen and others == 0,
            goes_by=known if known is not None and is_other(known, newsletter) else None,
        )

    async def _desk(
        self, newsletter: Newsletter, waiting: Sequence[LedgerEntry], rules: IssueRules, now_ms: int
    ) -> IssueHistory:
        name = newsletter.name
        under_way = [each for each in await self._issues.issues_under_way() if each.newsletter == name]
        newest, last = await self._issues.issues(name, None, 1), await self._issues.last_slot(name)
        begun_ms = calendar_since(await self._issues.calendar(name), newsletter, now_ms).since_ms
        times = await self._slot_times(name, slot_times(rules.slot, rules.zone, begun_ms, now_ms))
        slot = await next_slot(self._issues, name, times, newest)
        first = await self._issues.next_order(name)
        return IssueHistory(
            unfinished=under_way[0] if len(under_way) > 0 else None,
            newest=newest[0] if len(newest) > 0 else None,
            readers=await self._issues.active_readers(name),
            times=times,
            slot=slot,
            order=tuple(entry.id for entry in in_order(waiting, newsletter.order, newsletter.feeds, first)),
            last_ms=None if last is None else last.at_ms,
            approved=await self._approved(name, slot) if rules.approve else None,
            title_octets={entry.id: title_octets(entry.article) for entry in waiting},
        )

    async def _approved(self, newsletter: str, slot: str) -> tuple[ArticleId, ...] | None:
        found = await self._issues.approval(newsletter, slot)
        return None if found is None or found.approved_ms is None else found.articles

    async def _slot_times(self, newsletter: str, asking: AskingForSlots[SlotTimes]) -> SlotTimes:
        try:
            key = next(asking)
            while True:
                key = asking.send(await self._issues.slot(newsletter, key) is not None)
        except StopIteration as end:
            times: SlotTimes = end.value
            return times

    # ---- making

    async def turn(self, newsletter: Newsletter, leader: Lease) -> Outlook:
        """Make the issue that is due, from the last fetch, or record the slot that ended without
        one.

        Does not fetch: the owner's commands wait for the lead.
        """
        outlook = await self._due(newsletter)
        self._alarms.decided(newsletter, outlook)
        if _is_time(outlook) and not await self._is_fresh(newsletter):
            return outlook
        self._refused.discard(newsletter.name)
        await self.ask(outlook)
        if isinstance(outlook.decision, Unproven):
            self._refused.add(newsletter.name)
            self._alarms.unproven(newsletter, outlook)
        if _is_time(outlook):
            try:
                await self._act(newsletter, outlook, leader)
            except (CannotCompose, IssueRefused) as fault:
                self._refused.add(newsletter.name)
                self._alarms.not_made(newsletter, None, fault)
        return outlook

    async def ask(self, outlook: Outlook) -> Approval | None:
        """Write down that the issue waits for the owner, who is sent a mail; None if it does not."""
        if not isinstance(outlook.decision, ToApprove):
            return None
        waits = outlook.decision
        return await self._issues.ask_approval(waits.draft, waits.last_ms, self._clock.now_ms())

    async def send_now(self, newsletter: Newsletter, leader: Lease) -> Outlook:
        """Make an issue now, as the owner asked; it was made if the decision is Ready, and leaves
        at once.

        Raises CannotCompose; the issue then stays open until it can be made or the owner stops it.
        """
        outlook = await self.outlook_forced(newsletter)
        await self._act(newsletter, outlook, leader)
        return outlook

    async def send_letter(self, newsletter: Newsletter, subject: str, body: str, leader: Lease) -> Issue:
        """Make an issue of a letter now, which leaves at once.

        Raises IssueRefused with the reason, and CannotCompose; the issue then stays open as in
        `send_now`.
        """
        _, desk, _, now_ms = await self._known(newsletter)
        if desk.readers == 0:
            raise IssueRefused(f"{newsletter.name} has no readers yet")
        why_not = held_up(desk, now_ms)
        if why_not is not None:
            zone = ZoneInfo(newsletter.timezone)
            raise IssueRefused(why_not.sentence(lambda at_ms: weekday_text(at_ms, zone, now_ms)))
        await self._refuse_unproven(newsletter)
        draft = LetterDraft(newsletter.name, f"{FORCED}{desk.last_number + 1}", subject, body)
        issue = await self._issues.create_letter(draft, self._ids.next(now_ms), now_ms)
        return await self.freeze(newsletter, issue, leader)

    async def _looked_ms(self, newsletter: Newsletter) -> int:
        """When the least recently fetched feed was fetched; 0 (never) if the clock was set back."""
        looks = [feed.last_fetch_ms or 0 for feed in (await self._reading.feeds(newsletter)).values()]
        oldest = min(looks, default=0)
        return oldest if oldest <= self._clock.now_ms() else 0

    async def _act(self, newsletter: Newsletter, outlook: Outlook, leader: Lease) -> None:
        over, now_ms = outcome(outlook.decision), self._clock.now_ms()
        if over is not None:
            slot, how = over
            record = SlotRecord(newsletter.name, slot.key, how, now_ms, outlook.reason)
            await self._issues.record_slot(record)
            self._log.no_issue(newsletter.name, slot.key, how, outlook.reason)
        elif isinstance(outlook.decision, Ready):
            issue = await self._issues.create_digest(outlook.decision.draft, self._ids.next(now_ms), now_ms)
            await self._answer(newsletter, outlook.decision, issue)
            await self.freeze(newsletter, issue, leader)

    async def _answer(self, newsletter: Newsletter, made: Ready, issue: Issue) -> None:
        """End the slot that waited, now that it has its issue."""
        if made.answered is not None:
            why = f"issue {issue.number} was sent by command"
            key, now_ms = made.answered.key, self._clock.now_ms()
            await self._issues.record_slot(SlotRecord(newsletter.name, key, SlotOutcome.HELD, now_ms, why))

    async def freeze(self, newsletter: Newsletter, issue: Issue, leader: Lease) -> Issue:
        """Fix content and audience of an open issue; its first mail leaves when `undo` is over.

        Raises CannotCompose, and IssueRefused while a duty of senders is not fulfilled.
        """
        try:
            await self._refuse_unproven(newsletter)
            frozen = await self._frozen(newsletter, issue, leader)
        except (CannotCompose, IssueRefused):
            self._faulty[issue.id] = self._clock.now_ms()
            raise
        self._faulty.pop(issue.id, None)
        return frozen

    async def _refuse_unproven(self, newsletter: Newsletter) -> None:
        why = await self._why_unproven(newsletter)
        if why is not None:
            raise IssueRefused(f"DNS or the link to unsubscribe is not in order yet: {why}")

    async def _frozen(self, newsletter: Newsletter, issue: Issue, leader: Lease) -> Issue:
        text = await self._compose(newsletter, issue, await self._reading.of_issue(issue))
        await self._issues.write_content(issue.id, text.subject, text.content)
        await self._log_forecast(newsletter, issue)
        await self._issues.begin_freeze(issue.id, leader)
        while not (await self._issues.freeze_batch(issue.id, leader, FREEZE_ROWS)).is_last:
            pass
        undo_ms = 0 if issue.slot.startswith(FORCED) else newsletter.undo_ms
        frozen = await self._issues.freeze_done(issue.id, leader, self._clock.now_ms() + undo_ms)
        self._log.issue_frozen(frozen)
        return frozen

    async def _log_forecast(self, newsletter: Newsletter, issue: Issue) -> None:
        if self._foresee is not None:
            found, now_ms = await self._foresee(newsletter), self._clock.now_ms()
            text = forecast_text(found, newsletter, now_ms)
            self._log.issue_forecast(issue, found.readers, found.days, text)

    # ---- sending

    async def go_on(self, newsletters: Sequence[Newsletter], leader: Lease) -> None:
        """Advance every issue under way by one step, including those that a crash left unfrozen."""
        by_name = {newsletter.name: newsletter for newsletter in newsletters}
        await self._issues.sweep_freezing()
        under_way = await self._issues.issues_under_way()
        open_ones = {issue.newsletter for issue in under_way if issue.state is IssueState.OPEN}
        for newsletter in newsletters:
            if newsletter.name not in open_ones | self._refused:
                self._alarms.made(newsletter)
        for issue in under_way:
            now_ms = self._clock.now_ms()
            match issue.state:
                case IssueState.OPEN if issue.newsletter in by_name and self._may_try(issue, now_ms):
                    await self._try_again(by_name[issue.newsletter], issue, leader)
                case IssueState.FROZEN:
                    if await self._issues.start(issue.id, now_ms):
                        self._log.issue_leaves(issue)
                        await self._let_go(issue, now_ms)
                case IssueState.SENDING:
                    await self._let_go(issue, now_ms)
                    if await self._issues.finish(issue.id, now_ms):
                        self._log.issue_done(issue, await self._issues.reckoning(issue.id))
                case _:
                    pass

    async def _let_go(self, issue: Issue, now_ms: int) -> None:
        """Release all remaining rows; deliver limits the rate."""
        while await self._issues.release_batch(issue.id, now_ms, SEND_ROWS) > 0:
            pass
        while await self._issues.send_batch(issue.id, now_ms, SEND_ROWS) > 0:
            pass

    def _may_try(self, issue: Issue, now_ms: int) -> bool:
        tried_ms = self._faulty.get(issue.id)
        return tried_ms is None or now_ms - tried_ms >= TRY_AGAIN_MS

    async def _try_again(self, newsletter: Newsletter, issue: Issue, leader: Lease) -> None:
        """Try to freeze an open issue; it stays open, and no reader gets anything, until that
        succeeds or the owner stops it.
        """
        try:
            await self.freeze(newsletter, issue, leader)
        except (CannotCompose, IssueRefused) as fault:
            self._alarms.not_made(newsletter, issue, fault)


def _is_time(outlook: Outlook) -> bool:
    """Whether there is an issue to make, or a slot ends without one."""
    return isinstance(outlook.decision, Ready) or outcome(outlook.decision) is not None


def _if_proven(
    decision: IssueDecision, unproven: str | None, newsletter: str, desk: IssueHistory
) -> IssueDecision:
    """The decision, or what takes its place while a duty of senders is not fulfilled."""
    match decision:
        case Ready(draft) if unproven is not None:
            last_ms = None if desk.times.due is None else last_chance_ms(desk.times.due)
            return Unproven(len(draft.articles), unproven, last_ms)
        case Missed(slot, next_ms) if unproven is not None:
            return NotProven(newsletter, slot, next_ms)
        case _:
            return decision


async def _look_nowhere(newsletter: Newsletter, desk: IssueHistory, found: Ripeness) -> Beside:
    """An empty Beside: a turn comes every few seconds and does not show it."""
    return NOTHING_BESIDE


def rules_of(newsletter: Newsletter) -> IssueRules:
    return IssueRules(
        newsletter.name,
        newsletter.min_articles,
        parse_slot(newsletter.every),
        ZoneInfo(newsletter.timezone),
        newsletter.approve,
    )
