"""The newsletter's part of a scenario: readers, their servers, the blog's articles and the faults.

Drawn from the fault dice before the day begins, like the rest of the scenario.
"""

from dataclasses import dataclass
from enum import StrEnum

from secondpost.mail.duration import MINUTE_MS
from simulation.dice import SimDice
from simulation.faults import CrashAtStep, FeedWrong, InboxDown, InboxMoody, InjectedFault, What
from simulation.internet.blog import ArticlePlan, FeedPlan, Trouble
from simulation.internet.primaries import CHARACTERS, Character

HOUR = 3600.0
READERS_MIN = 100  # of the main newsletter, when its issue is frozen
MAIN, RARE = "main", "rare"
NEWS_SENDER = "The Blog <news@blog.example>"
BIG_DOMAINS = ("bigmail.example", "big.example")  # of one provider, with half of all readers
SMALL_DOMAINS = ("inbox1.example", "inbox2.example", "inbox3.example")
ELSEWHERE = "elsewhere"
GONE_SHARE = 0.03  # share of readers whose mailbox does not exist any more
DARK_SECONDS_MAX = 0.3 * HOUR  # after a power cut in the middle of a step


class Channel(StrEnum):
    """How readers contact us."""

    PAGE = "page"
    MAIL = "mail"
    NOTHING = "nothing"  # they do not


@dataclass(frozen=True, slots=True)
class ReaderPlan:
    newsletter: str
    address: str
    confirms: Channel = Channel.NOTHING
    joins_at: float | None = None  # None: imported, with consent given before
    joins: Channel = Channel.NOTHING
    leaves_at: float | None = None
    leaves: Channel = Channel.NOTHING
    suppressed_at: float | None = None  # by the owner
    returns_mail: bool = False  # the server accepts the mail, and later reports "no such user"


@dataclass(frozen=True, slots=True)
class NewsletterPlan:
    feed: FeedPlan
    every: str
    minimum: int
    undo_ms: int
    settle_ms: int

    @property
    def name(self) -> str:
        return self.feed.name


@dataclass(frozen=True, slots=True)
class InboxPlan:
    """A server of readers."""

    name: str
    address: str
    network: str
    domains: tuple[str, ...]
    offers_tls: bool
    gone: frozenset[str]  # local parts that do not exist any more


@dataclass(frozen=True, slots=True)
class NewsPlan:
    has_pages: bool  # False: readers use mail only
    newsletters: tuple[NewsletterPlan, ...]
    readers: tuple[ReaderPlan, ...]
    inboxes: tuple[InboxPlan, ...]
    stopped_at: float | None  # when the owner stops the issues under way
    faults: tuple[InjectedFault, ...]


def draw_news(dice: SimDice, day_seconds: float, networks: tuple[str, ...]) -> NewsPlan:
    """Draw the newsletter's plan; readers' servers stand in `networks`."""
    main, first_issue = _main(dice)
    newsletters = (main, _rare(dice))
    has_pages = dice.chance(0.75)
    readers = _readers(dice, has_pages, first_issue, day_seconds)
    gone = frozenset(reader.address.partition("@")[0] for reader in readers if dice.chance(GONE_SHARE))
    inboxes = tuple(
        InboxPlan(
            f"mx.{domains[0]}",
            f"198.51.100.{100 + number}",
            dice.one_of(networks),
            domains,
            dice.chance(0.7),
            gone,
        )
        for number, domains in enumerate((BIG_DOMAINS, *((domain,) for domain in SMALL_DOMAINS)))
    )
    faults = _faults(dice, len(inboxes), first_issue, day_seconds)
    stopped_at = first_issue + dice.between(-600.0, 600.0) if dice.chance(0.15) else None
    return NewsPlan(has_pages, newsletters, readers, inboxes, stopped_at, faults)


def _main(dice: SimDice) -> tuple[NewsletterPlan, float]:
    """The newsletter that gets an issue today, and the time of it in seconds."""
    minimum = dice.one_of((2, 2, 3))
    enough_at = dice.between(0.3 * HOUR, 1.5 * HOUR)
    times = [-86_400.0 * days for days in (9, 5, 2)]
    times += [dice.between(60.0, enough_at) for _ in range(minimum - 1)]
    times.append(enough_at)
    # On half of the days, enough for a second issue.
    more = minimum if dice.chance(0.5) else dice.whole(0, 2)
    times += [dice.between(enough_at + 0.3 * HOUR, 3.3 * HOUR) for _ in range(more)]
    settle_ms = dice.one_of((0, 10 * MINUTE_MS))
    first = enough_at + 300.0 + 2 * settle_ms / 1000
    every = "when ready"
    if dice.chance(0.4):
        slot = int(first / 60) + dice.whole(5, 60)
        every, first = f"daily {slot // 60:02}:{slot % 60:02}", slot * 60.0
    undo_ms = dice.one_of((0, 5 * MINUTE_MS, 15 * MINUTE_MS))
    plan = NewsletterPlan(_feed(MAIN, times), every, minimum, undo_ms, settle_ms)
    return plan, first + undo_ms / 1000


def _rare(dice: SimDice) -> NewsletterPlan:
    """A newsletter with too few articles today: it must not get an issue."""
    times = [-86_400.0 * days for days in (30, 20)]
    times += [dice.between(60.0, 2.0 * HOUR) for _ in range(dice.whole(0, 1))]
    slot = dice.whole(100, 220)
    every = dice.one_of(("when ready", f"daily {slot // 60:02}:{slot % 60:02}"))
    return NewsletterPlan(_feed(RARE, times), every, 2, 0, dice.one_of((0, 10 * MINUTE_MS)))


def _feed(name: str, times: list[float]) -> FeedPlan:
    return FeedPlan(name, tuple(ArticlePlan(at, number) for number, at in enumerate(sorted(times))))


def _readers(
    dice: SimDice, has_pages: bool, first_issue: float, day_seconds: float
) -> tuple[ReaderPlan, ...]:
    ways = (Channel.PAGE, Channel.PAGE, Channel.MAIL) if has_pages else (Channel.MAIL,)
    readers = []
    for number in range(READERS_MIN + dice.whole(22, 34)):
        leaves_at = None
        if dice.chance(0.12):
            # Mostly shortly before or during the issue; never so many that too few readers remain.
            leaves_at = dice.between(0.0, day_seconds)
            if dice.chance(0.7):
                leaves_at = max(30.0, first_issue + dice.between(-1200.0, 1200.0))
        readers.append(
            ReaderPlan(
                MAIN,
                f"r{number}@{_home(dice)}",
                leaves_at=leaves_at,
                leaves=dice.one_of(ways),
                suppressed_at=first_issue + dice.between(-900.0, 900.0) if dice.chance(0.02) else None,
                returns_mail=dice.chance(0.04),
            )
        )
    for number in range(dice.whole(8, 14)):
        joins_at = dice.between(60.0, first_issue + 0.5 * HOUR)
        readers.append(
            ReaderPlan(
                MAIN,
                f"j{number}@{_home(dice)}",
                confirms=dice.one_of((*ways, Channel.NOTHING)),
                joins_at=joins_at,
                joins=dice.one_of(ways),
                leaves_at=joins_at + dice.between(600.0, 2 * HOUR) if dice.chance(0.2) else None,
                leaves=dice.one_of(ways),
            )
        )
    readers += [ReaderPlan(RARE, f"r{number}@{_home(dice)}") for number in range(6)]
    return tuple(readers)


def _home(dice: SimDice) -> str:
    return dice.one_of(BIG_DOMAINS if dice.chance(0.5) else SMALL_DOMAINS)


def _faults(dice: SimDice, inboxes: int, first_issue: float, day_seconds: float) -> tuple[InjectedFault, ...]:
    """The newsletter's faults, most of them around the time of the issue."""
    faults: list[InjectedFault] = []
    for server in range(inboxes):
        if dice.chance(0.6):
            faults.append(_about(dice, InboxMoody(server, dice.one_of(MOODS)), first_issue, day_seconds))
    for server in dice.some_of(range(inboxes), dice.whole(1, 2)):
        faults.append(_about(dice, InboxDown(server, dice.chance(0.5)), first_issue, day_seconds))
    if dice.chance(0.6):
        start = dice.between(0.4 * HOUR, 2.5 * HOUR)
        trouble = dice.one_of(tuple(Trouble))
        faults.append(InjectedFault(FeedWrong(trouble), start, start + dice.between(0.2 * HOUR, 1.2 * HOUR)))
    for _ in range(dice.whole(1, 3)):
        role, verb, calls = dice.one_of(STEPS)
        dark = dice.between(5.0, DARK_SECONDS_MAX) if dice.chance(0.25) else None
        step = CrashAtStep(role, verb, dice.whole(1, calls), dice.between(0.0, 0.3), dark)
        faults.append(InjectedFault(step, dice.between(0.0, first_issue), day_seconds))
    return tuple(faults)


def _about(dice: SimDice, what: What, first_issue: float, day_seconds: float) -> InjectedFault:
    start = max(60.0, first_issue - dice.between(0.0, 0.5 * HOUR))
    return InjectedFault(what, start, min(start + dice.between(0.3 * HOUR, 1.5 * HOUR), day_seconds))


MOODS = (*CHARACTERS, Character(reputation_chance=0.3), Character(reputation_chance=1.0))

# Where a role is killed: role, method of its store or fetcher, highest number of the call.
STEPS = (
    ("publish", "create_digest", 2),
    ("publish", "begin_freeze", 2),
    ("publish", "freeze_batch", 2),
    ("publish", "freeze_done", 2),
    ("publish", "start", 2),
    ("publish", "send_batch", 3),
    ("publish", "record_fetch", 10),
    ("deliver", "claim", 8),
    ("deliver", "commit_marks", 30),
    ("deliver", "commit_marks", 90),
    ("deliver", "settle", 60),
    ("fetch", "get", 12),
    ("web", "sign_up", 6),
    ("web", "confirm", 4),
    ("web", "leave", 6),
)
