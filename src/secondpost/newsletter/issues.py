"""Decide whether an issue is due, and if not, why."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from html import escape
from types import MappingProxyType
from zoneinfo import ZoneInfo

from secondpost.mail.article import Article
from secondpost.mail.calendar import SlotTime, SlotTimes
from secondpost.mail.duration import HOUR_MS, MINUTE_MS
from secondpost.mail.issue import ArticleId, DigestDraft, Issue
from secondpost.mail.slot import Slot
from secondpost.newsletter.decisions import (
    ClockSetBack,
    GivenBack,
    InDoubt,
    IssueDecision,
    Missed,
    NoReaders,
    NotApproved,
    NotDue,
    NotProven,
    Overtaken,
    Ready,
    Settling,
    SlotKeptBack,
    ToApprove,
    TooFew,
    Unfinished,
)
from secondpost.newsletter.eligible import Ripeness
from secondpost.store.newsletter_ports import SlotOutcome

LATE_MS = 12 * HOUR_MS  # a slot older than this makes no issue by itself (R12)
CLOCK_STEP_MS = MINUTE_MS  # a clock this far behind the last record was set back
ARTICLES_OF_AN_ISSUE_MAX = 100
# Bound on titles and links, which compose cannot shorten; the HTML of an issue may have 80,000
# octets.
TITLES_OCTETS_MAX = 70_000
FRAME_OCTETS = 450  # markup around one title


@dataclass(frozen=True, slots=True)
class IssueRules:
    """The newsletter's settings that decide about an issue."""

    newsletter: str
    minimum: int
    slot: Slot
    zone: ZoneInfo
    approve: bool


@dataclass(frozen=True, slots=True)
class IssueHistory:
    """The newsletter's issues and slots so far."""

    unfinished: Issue | None  # an issue that is not finished
    readers: int  # readers who would get an issue
    newest: Issue | None  # the last issue, finished or not
    times: SlotTimes
    slot: str  # key of the slot that an issue by the calendar would have now
    order: tuple[ArticleId, ...]  # all waiting articles in the order of an issue
    last_ms: int | None  # when the last outcome was recorded
    # The articles that the owner approved for the slot that is due; None: not approved.
    approved: tuple[ArticleId, ...] | None = None
    # Of title and link in HTML.
    title_octets: Mapping[ArticleId, int] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def last_number(self) -> int:
        """0 before the first issue."""
        return 0 if self.newest is None else self.newest.number


def decide(standing: Ripeness, desk: IssueHistory, rules: IssueRules, now_ms: int) -> IssueDecision:
    """Decide by the calendar. Only Ready and decisions with an `outcome` change anything."""
    why_not = held_up(desk, now_ms)
    if why_not is not None:
        return why_not
    due, coming = desk.times.due, desk.times.coming
    if coming is None:
        decision = _from(standing, desk, rules, desk.slot, None)
        if (
            isinstance(decision, Ready)
            and not rules.approve
            and standing.given_back.issuperset(decision.draft.articles)
        ):
            return GivenBack(rules.newsletter, len(decision.draft.articles))
        return decision
    if due is None:
        return NotDue(standing.count, rules.minimum, coming.at_ms)
    decision = _from(standing, desk, rules, due.key, due)
    if now_ms > last_chance_ms(due):
        before = _finished_too_late(desk, due)
        if before is not None:
            return Overtaken(due, *before, coming.at_ms)
        was_asked = isinstance(decision, ToApprove)
        return NotApproved(rules.newsletter, due, coming.at_ms) if was_asked else Missed(due, coming.at_ms)
    return decision


def decide_forced(standing: Ripeness, desk: IssueHistory, rules: IssueRules, now_ms: int) -> IssueDecision:
    """Decide for `issue send`: all rules but the calendar and the approval.

    If a slot is waiting now, the issue answers it.
    """
    why_not = held_up(desk, now_ms)
    if why_not is not None:
        return why_not
    decision = _enough(standing, desk, rules, f"forced-{desk.last_number + 1}", None)
    if isinstance(decision, Ready):
        return Ready(decision.draft, is_forced=True, answered=desk.times.due)
    return decision


def _finished_too_late(desk: IssueHistory, due: SlotTime) -> tuple[int, int] | None:
    """The number of the last issue, and when it was finished, if it kept the slot from its issue."""
    issue = desk.newest
    if issue is None or issue.finished_ms is None or issue.created_ms > due.at_ms:
        return None
    return (issue.number, issue.finished_ms) if issue.finished_ms > last_chance_ms(due) else None


def last_chance_ms(due: SlotTime) -> int:
    """The last moment (inclusive) at which a slot makes an issue by itself."""
    return due.at_ms + LATE_MS


def held_up(desk: IssueHistory, now_ms: int) -> IssueDecision | None:
    """What keeps any issue from going now, digest or letter; None if nothing does."""
    if desk.unfinished is not None:
        due = desk.times.due
        if due is None:
            return Unfinished(desk.unfinished)
        last_ms = last_chance_ms(due)
        return Unfinished(desk.unfinished, SlotKeptBack(due.at_ms, last_ms, is_over=now_ms > last_ms))
    if desk.last_ms is not None and desk.last_ms - now_ms > CLOCK_STEP_MS:
        return ClockSetBack(desk.last_ms)
    return None


def _from(
    standing: Ripeness, desk: IssueHistory, rules: IssueRules, key: str, due: SlotTime | None
) -> IssueDecision:
    decision = _enough(standing, desk, rules, key, due)
    if isinstance(decision, Ready) and rules.approve:
        draft = decision.draft
        approved = tuple(id for id in desk.approved or () if id in draft.articles)
        if len(approved) >= rules.minimum:
            return Ready(replace(draft, articles=approved))
        last_ms = None if due is None else last_chance_ms(due)
        return ToApprove(rules.newsletter, len(draft.articles), draft, last_ms)
    return decision


def _enough(
    standing: Ripeness, desk: IssueHistory, rules: IssueRules, key: str, due: SlotTime | None
) -> IssueDecision:
    next_ms = None if desk.times.coming is None else desk.times.coming.at_ms
    last_ms = None if due is None else last_chance_ms(due)
    ripe, unripe = len(standing.ripe), len(standing.unripe)
    if ripe >= rules.minimum:
        if desk.readers == 0:
            return NoReaders(rules.newsletter, ripe, next_ms, due, rules.approve)
        return Ready(_draft(standing.ripe, desk, rules, key))
    if len(standing.doubts) > 0:
        doubtful = standing.doubts[0]
        return InDoubt(standing.count, doubtful.url, doubtful.finding, last_ms)
    if ripe + unripe >= rules.minimum:
        until_ms = sorted(each.until_ms for each in standing.unripe)[rules.minimum - ripe - 1]
        if last_ms is None or until_ms <= last_ms:
            return Settling(ripe, rules.minimum, until_ms)
    return TooFew(ripe, rules.minimum, next_ms, due, rules.approve)


def _draft(ripe: tuple[ArticleId, ...], desk: IssueHistory, rules: IssueRules, key: str) -> DigestDraft:
    """The draft of the issue.

    If not all articles fit, those seen last wait for the next one, so that none waits for ever.
    """
    chosen = frozenset(_fitting(ripe[:ARTICLES_OF_AN_ISSUE_MAX], desk, rules.minimum))
    articles = tuple(id for id in desk.order if id in chosen)
    return DigestDraft(rules.newsletter, key, articles, rules.minimum)


def _fitting(ripe: tuple[ArticleId, ...], desk: IssueHistory, minimum: int) -> tuple[ArticleId, ...]:
    """The articles whose titles and links fit, at least `minimum`.

    Very long links would otherwise make this issue, and every later one, impossible.
    """
    room = TITLES_OCTETS_MAX
    for place, id in enumerate(ripe):
        room -= FRAME_OCTETS + desk.title_octets.get(id, 0)
        if room < 0 and place >= minimum:
            return ripe[:place]
    return ripe


def title_octets(article: Article) -> int:
    """Octets of title and link in HTML."""
    return len(escape(article.title).encode()) + len(escape(article.link).encode())


def outcome(decision: IssueDecision) -> tuple[SlotTime, SlotOutcome] | None:
    """The slot that this decision ends without an issue, and how; None if it ends none."""
    match decision:
        case TooFew(spent=slot) | NoReaders(spent=slot) if slot is not None:
            return slot, SlotOutcome.SKIPPED
        case NotApproved(slot=slot) | NotProven(slot=slot):
            return slot, SlotOutcome.HELD
        case Missed(slot=slot) | Overtaken(slot=slot):
            return slot, SlotOutcome.MISSED
        case _:
            return None
