"""What became of a newsletter's issues, and how its list grew by month: counts, and nothing measured
at the reader.

What readers do is counted with the issue that was the newest when they did it.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from secondpost.mail.delivery import State
from secondpost.mail.issue import Issue, IssueId
from secondpost.mail.moment import day_text
from secondpost.mail.subscriber import SubscriberState
from secondpost.store.statistics_ports import IssueTally, ReaderChange

if TYPE_CHECKING:
    from secondpost.store.newsletter_store_ports import NewsletterDesk

EVENTS_PER_READ = 20_000  # some 50 ms


@dataclass(frozen=True, slots=True)
class Growth:
    """Readers who came and went in some time."""

    joined: int = 0  # became readers, or became readers again
    left: int = 0
    suspended: int = 0
    complained: int = 0  # got issues until then
    complaints: int = 0  # all: also of people who had left, about an older issue

    @property
    def net(self) -> int:
        return self.joined - self.left - self.suspended - self.complained


@dataclass(frozen=True, slots=True)
class IssueStatistics:
    """An issue that went out, or was to: its mails, and its readers until the next one."""

    issue: Issue
    tally: IssueTally
    after: Growth  # from its start until that of the next issue
    joined: int  # from the start of the issue before until its own: all readers so far for the first

    @property
    def start_ms(self) -> int:
        return _start_ms(self.issue)

    @property
    def delivered(self) -> int:
        return self._in(State.DELIVERED)

    @property
    def bounced(self) -> int:
        """Refused for good, or came back later."""
        return self._in(State.FAILED) + self.tally.returned

    @property
    def expired(self) -> int:
        return self._in(State.EXPIRED)

    @property
    def unknown(self) -> int:
        return self._in(State.UNKNOWN)

    @property
    def stopped(self) -> int:
        """Never sent, because the owner stopped the issue."""
        return self._in(State.STOPPED)

    def _in(self, state: State) -> int:
        return self.tally.states.get(state, 0)


@dataclass(frozen=True, slots=True)
class MonthStatistics:
    month: str  # such as 2026-11, in the newsletter's time zone
    growth: Growth
    readers: int  # at its end; erased readers, of whom nothing is known, are not among them


@dataclass(frozen=True, slots=True)
class NewsletterStatistics:
    newsletter: str
    readers: int  # who would get an issue now
    issues: tuple[IssueStatistics, ...]  # oldest first
    has_older: bool  # whether there are issues before these
    months: tuple[MonthStatistics, ...]  # oldest first, without gaps


@dataclass(slots=True)
class GrowthCounts:
    """Sums changes of readers into months and the times between issues."""

    starts: Sequence[int]  # milliseconds at which the issues began, in order
    zone: ZoneInfo
    # By the number of issues that had begun; by month.
    _of_issue: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _of_month: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def add(self, changes: Iterable[ReaderChange]) -> None:
        for change in changes:
            begun = bisect_right(self.starts, change.at_ms)
            for what in kinds_of(change):
                self._of_issue[begun][what] += change.readers
                month = month_of(change.at_ms, self.zone)
                self._of_month[month][what] += change.readers

    def between(self, begun: int) -> Growth:
        """While `begun` of the issues had begun."""
        return Growth(**self._of_issue[begun])

    def months(self) -> list[MonthStatistics]:
        found = []
        readers = 0
        for month in months_from(min(self._of_month, default=""), max(self._of_month, default="")):
            growth = Growth(**self._of_month[month])
            readers += growth.net
            found.append(MonthStatistics(month, growth, readers))
        return found


def kinds_of(change: ReaderChange) -> tuple[str, ...]:
    """The counts of Growth that a change belongs to; none if the readers got no issues before it, and
    get none after it.
    """
    was_active = change.source is SubscriberState.ACTIVE
    match change.target:
        case SubscriberState.ACTIVE:
            return ("joined",)
        case SubscriberState.COMPLAINED:
            return ("complained", "complaints") if was_active else ("complaints",)
        case SubscriberState.LEFT if was_active:
            return ("left",)
        case SubscriberState.SUSPENDED if was_active:
            return ("suspended",)
        case _:
            return ()


def month_of(at_ms: int, zone: ZoneInfo) -> str:
    """Such as 2026-11."""
    return day_text(at_ms, zone)[:7]


def months_from(first: str, last: str) -> list[str]:
    """All months from one to another; none if these are empty."""
    if first == "":
        return []
    begin, end = (int(month[:4]) * 12 + int(month[5:]) - 1 for month in (first, last))
    return [f"{month // 12:04}-{month % 12 + 1:02}" for month in range(begin, end + 1)]


def statistics_of(
    issues: Sequence[Issue], tallies: Mapping[IssueId, IssueTally], counts: GrowthCounts
) -> tuple[IssueStatistics, ...]:
    """The statistics of issues in the order of `counts.starts`, which are theirs."""
    return tuple(
        IssueStatistics(issue, tallies[issue.id], counts.between(nth + 1), counts.between(nth).joined)
        for nth, issue in enumerate(issues)
    )


async def read_statistics(
    store: "NewsletterDesk", newsletter: str, zone: ZoneInfo, issues_max: int, months_max: int
) -> NewsletterStatistics:
    """Read the newest issues that have an audience, and the last months."""
    begun = await _newest_begun(store, newsletter, issues_max + 1)
    counts = GrowthCounts([_start_ms(issue) for issue in begun], zone)
    after: int | None = 0
    while after is not None:
        after, changes = await store.reader_changes(newsletter, after, EVENTS_PER_READ)
        counts.add(changes)
    found = statistics_of(begun, await store.issue_tallies([issue.id for issue in begun]), counts)
    return NewsletterStatistics(
        newsletter,
        await store.active_readers(newsletter),
        found[-issues_max:],
        len(found) > issues_max,
        tuple(counts.months()[-months_max:]),
    )


async def _newest_begun(store: "NewsletterDesk", newsletter: str, many: int) -> list[Issue]:
    """The newest issues whose readers were fixed, the first to leave first."""
    found: list[Issue] = []
    before: int | None = None
    while len(found) < many and len(page := await store.issues(newsletter, before, many)) > 0:
        found += [issue for issue in page if issue.start_ms is not None]
        before = page[-1].number
    return sorted(found[:many], key=lambda issue: (_start_ms(issue), issue.number))


def _start_ms(issue: Issue) -> int:
    return issue.created_ms if issue.start_ms is None else issue.start_ms
