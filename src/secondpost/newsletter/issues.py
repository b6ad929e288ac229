"""Is there an issue now, and if not, why not: a decision, and the sentence for the owner that goes with it.

A digest cannot be made below its minimum here either: only Ready leads to one, and it is a DigestDraft,
whose constructor refuses fewer.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from secondpost.mail.issue import ArticleId, DigestDraft, Issue
from secondpost.mail.slot import Slot
from secondpost.newsletter.calendar import SlotTime, latest_slot, next_slot
from secondpost.newsletter.eligible import Standing
from secondpost.store.newsletter_ports import SlotOutcome

LATE_MS = 12 * 3_600_000  # a slot older than this brings no issue by itself any more (R12)
CLOCK_STEP_MS = 60_000  # a clock that is so far behind what is written down was set back
ARTICLES_OF_AN_ISSUE_MAX = 100

When = Callable[[int], str]  # a moment in words, in the newsletter's zone


@dataclass(frozen=True, slots=True)
class IssueRules:
    """Of the newsletter."""

    newsletter: str
    minimum: int
    slot: Slot
    zone: ZoneInfo
    approve: bool


@dataclass(frozen=True, slots=True)
class Desk:
    """What is known of issues so far."""

    unfinished: Issue | None  # one that is not done yet
    last_number: int  # of the last issue; 0 before the first
    recorded: frozenset[str]  # keys of the slots in question that have an outcome
    last_ms: int | None  # when the last outcome was recorded


@dataclass(frozen=True, slots=True)
class Ready:
    draft: DigestDraft
    is_forced: bool = False

    def sentence(self, when: When) -> str:
        return f"{_count(len(self.draft.articles))}: the issue can go."


@dataclass(frozen=True, slots=True)
class TooFew:
    articles: int
    minimum: int
    next_ms: int | None  # None: as soon as there are enough
    spent: SlotTime | None = None  # the slot that is over with this

    def sentence(self, when: When) -> str:
        later = "the issue goes as soon as there are enough" if self.next_ms is None else _next(self, when)
        return f"{self.articles} of {_count(self.minimum)}; {later}."


@dataclass(frozen=True, slots=True)
class NotDue:
    articles: int
    minimum: int
    next_ms: int

    def sentence(self, when: When) -> str:
        return f"{self.articles} of {_count(self.minimum)}; {_next(self, when)}."


@dataclass(frozen=True, slots=True)
class Settling:
    """There would be enough, but some are too fresh, or bear a date to come."""

    articles: int
    minimum: int
    until_ms: int

    def sentence(self, when: When) -> str:
        return f"{self.articles} of {_count(self.minimum)} have settled, the next {when(self.until_ms)}."


@dataclass(frozen=True, slots=True)
class InDoubt:
    """A feed could not be read or believed, and without what it would say there is not enough."""

    articles: int
    url: str
    finding: str

    def sentence(self, when: When) -> str:
        return f"The feed {self.url} is in doubt, and the issue waits until it is read again: {self.finding}"


@dataclass(frozen=True, slots=True)
class Unfinished:
    number: int

    def sentence(self, when: When) -> str:
        return f"Issue {self.number} is not finished; the next one waits for it."


@dataclass(frozen=True, slots=True)
class ToApprove:
    articles: int

    def sentence(self, when: When) -> str:
        return f"{_count(self.articles)} wait for your word: secondpost issue send."


@dataclass(frozen=True, slots=True)
class Missed:
    slot: SlotTime
    next_ms: int | None

    def sentence(self, when: When) -> str:
        return f"The issue of {when(self.slot.at_ms)} was missed by more than 12 hours; {_next(self, when)}."


@dataclass(frozen=True, slots=True)
class ClockSetBack:
    recorded_ms: int

    def sentence(self, when: When) -> str:
        return f"The clock is behind {when(self.recorded_ms)}, when the last issue was decided: it waits."


Decision = Ready | TooFew | NotDue | Settling | InDoubt | Unfinished | ToApprove | Missed | ClockSetBack


def _count(articles: int) -> str:
    return "1 article" if articles == 1 else f"{articles} articles"


def _next(decision: TooFew | NotDue | Missed, when: When) -> str:
    return "no next look" if decision.next_ms is None else f"next look {when(decision.next_ms)}"


# ---------------------------------------------------------------- deciding


def decide(standing: Standing, desk: Desk, rules: IssueRules, now_ms: int) -> Decision:
    """What the calendar brings now. Only Ready, Missed and a TooFew with `spent` change anything."""
    held_up = _held_up(desk, now_ms)
    if held_up is not None:
        return held_up
    coming = next_slot(rules.slot, rules.zone, now_ms)
    if coming is None:
        return _from(standing, rules, f"ready-{desk.last_number + 1}", None, None)
    due = latest_slot(rules.slot, rules.zone, now_ms)
    if due is None or due.key in desk.recorded:
        return NotDue(standing.count, rules.minimum, coming.at_ms)
    if now_ms - due.at_ms > LATE_MS:
        return Missed(due, coming.at_ms)
    return _from(standing, rules, due.key, due, coming.at_ms)


def decide_forced(standing: Standing, desk: Desk, rules: IssueRules, now_ms: int) -> Decision:
    """What the owner brings about with `issue send`: every rule but the calendar and the approval."""
    held_up = _held_up(desk, now_ms)
    if held_up is not None:
        return held_up
    coming = next_slot(rules.slot, rules.zone, now_ms)
    next_ms = None if coming is None else coming.at_ms
    decision = _enough(standing, rules, f"forced-{desk.last_number + 1}", None, next_ms)
    return Ready(decision.draft, is_forced=True) if isinstance(decision, Ready) else decision


def _held_up(desk: Desk, now_ms: int) -> Decision | None:
    if desk.unfinished is not None:
        return Unfinished(desk.unfinished.number)
    if desk.last_ms is not None and desk.last_ms - now_ms > CLOCK_STEP_MS:
        return ClockSetBack(desk.last_ms)
    return None


def _from(
    standing: Standing, rules: IssueRules, key: str, due: SlotTime | None, next_ms: int | None
) -> Decision:
    decision = _enough(standing, rules, key, due, next_ms)
    if isinstance(decision, Ready) and rules.approve:
        return ToApprove(len(decision.draft.articles))
    return decision


def _enough(
    standing: Standing, rules: IssueRules, key: str, due: SlotTime | None, next_ms: int | None
) -> Decision:
    ripe, unripe = len(standing.ripe), len(standing.unripe)
    if ripe >= rules.minimum:
        return Ready(_draft(standing.ripe, rules, key))
    if len(standing.doubts) > 0:
        doubtful = standing.doubts[0]
        return InDoubt(standing.count, doubtful.url, doubtful.finding)
    if ripe + unripe >= rules.minimum:
        ripening = sorted(each.until_ms for each in standing.unripe)
        return Settling(ripe, rules.minimum, ripening[rules.minimum - ripe - 1])
    return TooFew(ripe, rules.minimum, next_ms, due)


def _draft(articles: tuple[ArticleId, ...], rules: IssueRules, key: str) -> DigestDraft:
    """What does not fit into one issue waits for the next."""
    return DigestDraft(rules.newsletter, key, articles[:ARTICLES_OF_AN_ISSUE_MAX], rules.minimum)


def outcome(decision: Decision) -> tuple[SlotTime, SlotOutcome] | None:
    """The slot that is over without an issue, and how; None: it is not, or there was none."""
    match decision:
        case TooFew(spent=slot) if slot is not None:
            return slot, SlotOutcome.SKIPPED
        case Missed(slot):
            return slot, SlotOutcome.MISSED
        case _:
            return None


def reason(decision: Decision, standing: Standing, when: When) -> str:
    """For the owner: why, and what else stands in the way of more articles."""
    sentences = [decision.sentence(when)]
    if not isinstance(decision, InDoubt):
        sentences += [f"The feed {feed.url} is in doubt: {feed.finding}" for feed in standing.doubts]
    if len(standing.unripe) > 0 and not isinstance(decision, Settling):
        sentences.append(f"{_count(len(standing.unripe))} more must settle, or bear a date to come.")
    return " ".join(sentences)


def moment_text(at_ms: int, zone: ZoneInfo, now_ms: int) -> str:
    """Such as "Friday 09:00"; with the date when that is further away than a week."""
    moment, now = (datetime.fromtimestamp(each / 1000, zone) for each in (at_ms, now_ms))
    if abs((moment.date() - now.date()).days) < 7:
        return f"{moment:%A %H:%M}"
    return f"{moment:%A} {moment.day} {moment:%B %Y %H:%M}"
