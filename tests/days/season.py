"""Some days of a blog and its newsletters, with everything of docs/failures.md that days can bring.

Feed reader, ledger, calendar, publisher and store are real; the web, the clock, the readers'
servers and what goes wrong are drawn from a seed before the days begin.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from secondpost.config.records import ArticleOrder, Newsletter, Start
from secondpost.mail.address import Mailbox
from secondpost.mail.article_states import ArticleState
from secondpost.mail.delivery import State
from secondpost.mail.duration import DAY_MS, HOUR_MS, MINUTE_MS
from secondpost.mail.envelope import Lane
from secondpost.mail.issue import Issue, IssueId, IssueState, Reckoning
from secondpost.mail.subscriber import SubscriberId
from secondpost.newsletter.fetching import FeedFetching, parse_in_line
from secondpost.newsletter.publish import Publisher
from secondpost.newsletter.reading import FeedReading
from secondpost.store.newsletter_ports import SlotOutcome
from secondpost.store.ports import Settlement
from simulation.dice import SimDice
from tests.in_line_work import InLineWork
from tests.newsletter.blog import START_MS, Blog
from tests.newsletter.weekly_blog import WeeklyBlog
from tests.newsletter.weeks_language import post_of

FEED = "https://www.example.net/feed.xml"
READERS = 5  # of each newsletter
STEP_MS = 2 * HOUR_MS  # between two turns of the service; slots and changes have turns of their own
LATE_MS = 12 * HOUR_MS  # R12: this late an issue still goes
CALM_DAYS = 2  # at the end, in which nothing goes wrong
TROUBLES = ("html", "empty", "torn", "down", "stale")
OUTCOMES = (State.DELIVERED,) * 12 + (State.WAITING, State.WAITING, State.FAILED, State.UNKNOWN)
NEVER = "never"  # the newsletter of a category that no article has


def newsletters(zone: str) -> tuple[Newsletter, ...]:
    """02:30 is skipped in spring in both zones and comes twice in Berlin, 01:30 in New York."""

    def one(name: str, every: str, minimum: int) -> Newsletter:
        return Newsletter(
            name,
            "The Blog <newsletter@example.net>",
            (FEED,),
            every=every,
            timezone=zone,
            min_articles=minimum,
            settle_ms=0,
            undo_ms=0,
            start=Start.NEW,
            order=ArticleOrder.OLDEST,
            skip=("draft",),
        )

    return (
        one("night", "daily 02:30", 2),
        replace(one("weekend", "friday,sunday 01:30", 2), settle_ms=20 * MINUTE_MS),
        replace(one("morning", "daily 09:00", 1), undo_ms=15 * MINUTE_MS),
        one("ready", "when ready", 4),
        replace(one(NEVER, "daily 09:00", 1), only=("nothing",)),
    )


@dataclass(frozen=True, slots=True)
class Season:
    """Days of one zone, from noon of `first`."""

    name: str
    zone: str
    first: date
    days: int
    seed: str

    def instant(self, day: date, at: time) -> int:
        """The first moment, in milliseconds, at which the clock on the wall shows that time or a
        later one: found by looking at each minute, unlike in the calendar of the product.
        """
        wall = datetime.combine(day, at)
        moment = wall.replace(tzinfo=UTC) - timedelta(hours=15)
        zone = ZoneInfo(self.zone)
        while moment.astimezone(zone).replace(tzinfo=None) < wall:
            moment += timedelta(minutes=1)
        return int(moment.timestamp() * 1000)

    @property
    def begins_ms(self) -> int:
        return self.instant(self.first, time(12))

    @property
    def ends_ms(self) -> int:
        return self.instant(self.first + timedelta(days=self.days), time(12))

    def slots(self, newsletter: str) -> Mapping[str, int]:
        """The moment of each time of the calendar, by its key."""
        found = {}
        for number in range(1, self.days + 1):
            day = self.first + timedelta(days=number)
            year, week, weekday = day.isocalendar()
            match newsletter:
                case "night":
                    found[day.isoformat()] = self.instant(day, time(2, 30))
                case "morning" | "never":
                    found[day.isoformat()] = self.instant(day, time(9))
                case "weekend" if weekday in (5, 7):
                    key = f"{year}-W{week:02}-{1 if weekday == 5 else 2}"
                    found[key] = self.instant(day, time(1, 30))
        return {key: at_ms for key, at_ms in found.items() if at_ms < self.ends_ms}


@dataclass(frozen=True, slots=True)
class Change:
    at_ms: int
    what: str
    detail: str = ""


def drawn(season: Season) -> list[Change]:
    """What happens to the blog, its feed and the service, in the order of time."""
    dice, begins_ms = SimDice(season.seed), season.begins_ms
    changes: list[Change] = []

    def some_time(day: int) -> int:
        return begins_ms + dice.whole(day * DAY_MS, (day + 1) * DAY_MS) // MINUTE_MS * MINUTE_MS

    def for_a_while(day: int, what: str, detail: str, end: str, hours: int) -> None:
        at_ms = some_time(day)
        changes.extend((Change(at_ms, what, detail), Change(at_ms + hours * HOUR_MS, end, "ok")))

    first = dice.whole(0, len(TROUBLES) - 1)
    for day in range(season.days - CALM_DAYS):
        for _ in range(dice.whole(1, 4)):
            changes.append(Change(some_time(day), "write", dice.one_of(("post", "post", "post", "draft"))))
        changes.append(Change(some_time(day), "edit", dice.one_of(("title", "text", "link"))))
        for_a_while(day, "feed", TROUBLES[(first + day) % len(TROUBLES)], "feed", dice.whole(1, 5))
        if dice.chance(0.6):
            for_a_while(day, "down", "", "up", dice.whole(1, 5))
        if dice.chance(0.4):
            changes.append(Change(some_time(day), "write", "ahead"))
        if dice.chance(0.4):
            changes.append(Change(some_time(day), "delete"))
        changes.append(Change(some_time(day), "restart"))
        changes.append(Change(some_time(day), "hold"))
    changes.append(Change(some_time(dice.whole(1, 2)), "new ids"))
    # Once the service is down over a morning for longer than an issue may be late.
    morning = season.instant(season.first + timedelta(days=2), time(8))
    changes += [Change(morning, "down"), Change(morning + LATE_MS + 2 * HOUR_MS, "up", "ok")]
    return sorted(changes, key=lambda change: change.at_ms)


@dataclass
class SeasonEvidence:
    """What the days left: the evidence that the tests look at."""

    season: Season
    issues: dict[str, list[tuple[Issue, tuple[int, ...], Reckoning]]] = field(default_factory=dict)
    slots: dict[str, dict[str, SlotOutcome | None]] = field(default_factory=dict)
    known: dict[str, set[int]] = field(default_factory=dict)  # posts in the ledger of each newsletter
    # Posts in a readable document that the newsletter was given: each reads the feed in its own rhythm.
    shown: dict[str, set[int]] = field(default_factory=dict)
    past: set[int] = field(default_factory=set)  # posts from before the first fetch
    drafts: set[int] = field(default_factory=set)
    accepted: Counter[tuple[IssueId, SubscriberId]] = field(default_factory=Counter)
    dated: dict[int, int] = field(default_factory=dict)  # by post: the moment that its date says
    undisturbed: set[int] = field(default_factory=set)  # moments of turns with service and feed in order
    happened: Counter[str] = field(default_factory=Counter)


class Days:
    """`first` has the store of all newsletters."""

    def __init__(self, season: Season, first: Blog) -> None:
        self.season = season
        self.clock, self.store = first.clock, first.store
        self.clock.ms = season.begins_ms
        self.blogs = [
            Blog(first.store, first.clock, each, lease=first.lease, ids=first.ids)
            for each in newsletters(season.zone)
        ]
        self.site = WeeklyBlog(now_ms=self.clock.ms, feeds={"feed": ""})
        self.dice = SimDice(f"{season.seed}/servers")
        self.evidence = SeasonEvidence(season)
        self.is_up = True
        self.publishers: dict[str, Publisher] = {}
        self.restart()

    def restart(self) -> None:
        for blog in self.blogs:
            blog.restart()
            reading = FeedReading(
                self.store,
                self.clock,
                SimDice("season"),
                FeedFetching(self.site, parse_in_line(InLineWork())).look,
            )
            self.publishers[blog.newsletter.name] = Publisher(
                reading, self.store, self.clock, blog.ids, blog.composed, blog.log, blog.standing
            )

    async def pass_by(self) -> SeasonEvidence:
        numbers = range(1, 9)
        before = {n: (self.clock.ms - START_MS) / DAY_MS - 20 + n for n in numbers}
        self.site.writes(numbers, before, "post")
        self.evidence.past = set(numbers)
        for blog in self.blogs:
            for number in range(READERS):
                await blog.reads(Mailbox.parse(f"r{number}@{blog.newsletter.name}.example"))
        changes = drawn(self.season)
        for at_ms in self._moments(changes):
            self.clock.ms = self.site.now_ms = at_ms
            while len(changes) > 0 and changes[0].at_ms <= at_ms:
                await self._happens(changes.pop(0))
            if self.is_up:
                await self._turn()
        return await self._testify()

    def _moments(self, changes: list[Change]) -> Iterator[int]:
        season = self.season
        slots = {at_ms for blog in self.blogs for at_ms in season.slots(blog.newsletter.name).values()}
        steps = range(season.begins_ms, season.ends_ms, STEP_MS)
        yield from sorted({*slots, *(slot + 20 * MINUTE_MS for slot in slots), *steps,
                           *(change.at_ms for change in changes)})  # fmt: skip

    async def _happens(self, change: Change) -> None:
        site = self.site
        self.evidence.happened[f"{change.what} {change.detail}".strip()] += 1
        match change.what:
            case "write":
                n = len(site.written) + 1
                ahead = {n: (self.clock.ms - START_MS) / DAY_MS + 0.7} if change.detail == "ahead" else {}
                site.writes([n], ahead, "draft" if change.detail == "draft" else "post")
                self.evidence.drafts |= {n} if change.detail == "draft" else set()
            case "edit":
                site.edits(max(site.posts), change.detail)
            case "delete":
                del site.posts[max(site.posts)]
            case "new ids":
                site.becomes(guid="tag:new,{n}")
            case "feed":
                if change.detail == "stale":
                    site.keeps_copies()
                site.answer = change.detail
            case "down":
                self.is_up = False
            case "up":
                self.is_up = True
                self.restart()
            case "restart" if self.is_up:
                self.restart()
            case "hold" if self.is_up:
                await self._hold()

    async def _hold(self) -> None:
        """Hold what is under way and let it go on."""
        for issue in await self.store.issues_under_way():
            if issue.state in (IssueState.FROZEN, IssueState.SENDING):
                await self.store.hold(issue.id, "a wrong picture")
                await self._deliver()
                await self.store.resume(issue.id, self.clock.ms)
                self.evidence.happened["held"] += 1

    async def _turn(self) -> None:
        if self.site.answer == "ok":
            self.evidence.undisturbed.add(self.clock.ms)
        for blog in self.blogs:
            name = blog.newsletter.name
            publisher, leader = self.publishers[name], await blog.leader()
            self.site.shown = self.evidence.shown.setdefault(name, set())
            await publisher.look(blog.newsletter)
            await publisher.turn(blog.newsletter, leader)
            await publisher.go_on([blog.newsletter], leader)
        await self._deliver()

    async def _deliver(self) -> None:
        """Like the deliver role: most mails are taken, some are deferred, refused or of unknown outcome."""
        lease = await self.store.lease(Lane.ISSUES, "unsorted")
        assert lease is not None
        now_ms = self.clock.ms
        claimed = await self.store.claim(lease, now_ms, 100)
        marked = await self.store.commit_marks(lease, [one.id for one in claimed])
        settled = []
        for one in claimed:
            assert one.issue is not None
            assert one.subscriber is not None
            assert one.id in marked
            state = self.dice.one_of(OUTCOMES)
            if state is State.DELIVERED or (state is State.UNKNOWN and self.dice.chance(0.5)):
                self.evidence.accepted[one.issue, one.subscriber] += 1
            due_ms = now_ms + HOUR_MS if state is State.WAITING else 0
            settled.append(
                Settlement(one.id, state, now_ms, due_ms=due_ms, cause="recipient", reply="450 later")
            )
            self.evidence.happened[state] += 1
        await self.store.settle(lease, settled)
        await self.store.give_back(lease)

    async def _testify(self) -> SeasonEvidence:
        evidence, store = self.evidence, self.store
        evidence.dated = {n: post.date_ms for n, post in self.site.written.items()}
        for blog in self.blogs:
            name = blog.newsletter.name
            evidence.issues[name] = [
                (
                    issue,
                    tuple(post_of(each.article.title) for each in await store.entries_of_issue(issue.id)),
                    await store.reckoning(issue.id),
                )
                for issue in (await store.issues(name, None, 100))[::-1]
            ]
            found = {key: await store.slot(name, key) for key in self.season.slots(name)}
            evidence.slots[name] = {
                key: None if slot is None else slot.outcome for key, slot in found.items()
            }
            evidence.known[name] = {
                post_of(entry.article.title)
                for state in ArticleState
                for entry in await store.entries(name, state, 1_000)
            }
        return evidence
