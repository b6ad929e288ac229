"""Two months of a backup MX, hour by hour: who comes to it, from which networks, and why.

Senders of many networks write to one domain. A few use the backup first, always; now and then a
mail of another comes here by mishap, or a path is out of order for half an hour. The primary has outages,
after which some servers keep coming for hours. Spammers come here on purpose, in waves. And four
networks are blocked, one after the other or at once. What is counted follows the rules of the store:
good is mail of an author whose mail the primary took before.
"""

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from secondpost.mail.address import Domain
from secondpost.mail.arrivals import OTHERS, BlockedNetwork, HourCount, PrimaryHour
from secondpost.mail.duration import HOUR_MS
from secondpost.watch.blocks import judged, seen_of

NET = Domain("example.net")
DAYS = 60
LEARNED_DAYS = 35  # before these
HOURS = 24 * (LEARNED_DAYS + DAYS)
BY_HOUR = (2, 1, 1, 1, 1, 2, 4, 8, 12, 14, 14, 12, 10, 12, 13, 13, 12, 10, 8, 7, 6, 5, 4, 3)  # of a day
AT_WEEKENDS = 0.4
MISHAP = 0.002  # a mail comes to the backup by accident
DRAINING_NETWORKS = 0.3  # whose servers remember that the primary was down
SPAM_DOMAINS = 40
SPAM_TAKEN = 0.03  # of well-made spam, by the primary
KEPT_HOURS = 70 * 24


@dataclass(slots=True)
class Town:
    """A network with people who write."""

    origin: str
    share: float  # of all mail
    authors: tuple[str, ...]
    uses_backup: bool = False  # always


@dataclass(slots=True)
class TrueBlock:
    origin: str
    first: int  # hours
    last: int
    good: list[tuple[int, str]] = field(default_factory=list)  # hours and authors of good mail that counts

    def found_by(self) -> int | None:
        """The hour by which it must be found; None if five good mails of two authors never came
        within two weeks."""
        for last in range(4, len(self.good)):
            hour = self.good[last][0]
            some = [mail for mail in self.good[: last + 1] if mail[0] > hour - 24 * 14]
            if len(some) >= 5 and len({author for _, author in some}) >= 2:
                return hour + 24
        return None


class Month:
    """`mails_a_day`: for the domain, by any way."""

    def __init__(self, seed: int, mails_a_day: float) -> None:
        self.seed = seed
        self.mails_a_day = mails_a_day
        self.dice = random.Random(seed)
        self.towns = [self._town(number) for number in range(min(25, 8 + int(mails_a_day / 10)))]
        total = sum(town.share for town in self.towns)
        for town in self.towns:
            town.share /= total
        for number in range(2):
            authors = tuple(f"backup{number}-{n}.example" for n in range(self.dice.randint(1, 3)))
            share = self.dice.uniform(0.7, 3.0) / self.mails_a_day
            self.towns.append(Town(f"AS{70_000 + number}", share, authors, uses_backup=True))
        self.down = self._outages()
        self.blocks = self._blocks()
        self.mishaps = {(self.dice.choice(self.towns).origin, self.dice.randrange(HOURS)) for _ in range(6)}
        self.taken: dict[str, int] = {}  # authors, since which hour the primary takes their mail
        self.counts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])  # of this hour

    def _town(self, number: int) -> Town:
        authors = tuple(f"a{number}-{n}.example" for n in range(self.dice.randint(3, 12)))
        return Town(f"AS{64_500 + number}", 1 / (number + 1), authors)

    def _outages(self) -> frozenset[int]:
        """Hours in which the primary was down, if only for minutes."""
        down: set[int] = set()
        for _ in range(self.dice.randint(5, 12)):
            first = self.dice.randrange(HOURS)
            down |= set(range(first, first + self.dice.choice((1, 1, 1, 2, 4, 9, 30))))
        return frozenset(down)

    def _blocks(self) -> list[TrueBlock]:
        """Of four of the larger networks, each long enough to show."""
        chosen = self.dice.sample(self.towns[: 4 if self.mails_a_day < 50 else 6], 4)
        blocks = []
        for town in chosen:
            a_day = self.mails_a_day * town.share
            days = min(25.0, max(self.dice.uniform(2, 8), 12 / a_day))
            first = self.dice.randrange(24 * LEARNED_DAYS, HOURS - int(24 * min(days, 20)))
            blocks.append(TrueBlock(town.origin, first, first + int(24 * days)))
        return blocks

    def block_of(self, origin: str, hour: int) -> TrueBlock | None:
        for block in self.blocks:
            if block.origin == origin and block.first <= hour < block.last:
                return block
        return None

    def drains(self, town: Town, hour: int) -> bool:
        """Whether its servers still come here first after an outage."""
        if random.Random(f"{self.seed} {town.origin}").random() > DRAINING_NETWORKS:
            return False
        for ago in range(1, 7):
            if hour - ago in self.down:
                length = sum(1 for n in range(1, 12) if all(hour - ago - k in self.down for k in range(n)))
                return ago <= length / 2
        return False

    def live(self, hour: int) -> None:
        """What comes to the backup in an hour."""
        weight = BY_HOUR[hour % 24] / sum(BY_HOUR) * (AT_WEEKENDS if hour // 24 % 7 >= 5 else 1.0)
        for town in self.towns:
            for _ in range(self._poisson(self.mails_a_day * town.share * weight)):
                self._mail(town, hour)

    def _mail(self, town: Town, hour: int) -> None:
        author = town.authors[min(int(self.dice.expovariate(0.6)), len(town.authors) - 1)]
        block = self.block_of(town.origin, hour)
        by_mishap = self.dice.random() < (0.8 if (town.origin, hour) in self.mishaps else MISHAP)
        comes = block is not None or town.uses_backup or by_mishap
        if hour in self.down or comes or self.drains(town, hour):
            self._came(town.origin, author, hour, block)

    def _came(self, origin: str, author: str, hour: int, block: TrueBlock | None) -> None:
        is_fresh = author not in self.taken
        self.taken.setdefault(author, hour)
        if hour in self.down:
            return
        if is_fresh:
            self.counts[origin, author][1] += 1
            return
        self.counts[origin, author][0] += 1
        if block is not None and not self._is_unsure(hour):
            block.good.append((hour, author))

    def _is_unsure(self, hour: int) -> bool:
        """The primary is or was down: what comes now says nothing of networks."""
        return any(hour - ago in self.down for ago in range(7))

    def spam(self, hour: int) -> None:
        """A wave: most of it has no valid signature; some is well made, of domains never seen before."""
        origin, wave = f"AS{80_000 + self.dice.randrange(50)}", self.dice.randrange(1000)
        for _ in range(self.dice.randrange(200)):
            author = f"spam{wave}-{self.dice.randrange(SPAM_DOMAINS)}.example"
            if self.dice.random() < SPAM_TAKEN:
                self._came(origin, author, hour, None)
            else:  # the primary refuses it
                self.counts[origin, OTHERS][2] += 1

    def _poisson(self, mean: float) -> int:
        many, left = 0, self.dice.expovariate(1.0)
        while left < mean:
            many += 1
            left += self.dice.expovariate(1.0)
        return many

    def hours(self) -> Iterator[tuple[int, list[HourCount], list[PrimaryHour]]]:
        """What the store has, hour by hour."""
        counts: list[HourCount] = []
        ups: list[PrimaryHour] = []
        for hour in range(HOURS):
            self.live(hour)
            if self.dice.random() < 0.03:
                self.spam(hour)
            ups.append(PrimaryHour(NET, hour * HOUR_MS, hour not in self.down))
            for (origin, author), (good, fresh, other) in self.counts.items():
                counts.append(HourCount(NET, hour * HOUR_MS, origin, author, good, fresh, other))
            self.counts.clear()
            yield hour, counts, ups


@dataclass(frozen=True, slots=True)
class Judgement:
    missed: tuple[str, ...]
    invented: tuple[str, ...]
    hours_late: tuple[int, ...]  # from the fifth good mail to the alarm
    ended_late: tuple[int, ...]  # hours from the end of a block to the end of its alarm
    shown: int  # blocks that showed in five good mails


def watched(month: Month, every_hours: int = 1) -> Judgement:
    known: dict[tuple[str, int], BlockedNetwork] = {}
    for hour, counts, ups in month.hours():
        if hour % every_hours == 0:
            seen = seen_of(NET, counts, ups, {}, HOUR_MS)
            for one in judged(seen, list(known.values()), (hour + 1) * HOUR_MS):
                known[one.origin, one.since_ms] = one
    return _judgement(month, list(known.values()))


def _judgement(month: Month, found: list[BlockedNetwork]) -> Judgement:
    missed, late, ended = [], [], []
    invented = [one for one in found if _true_of(month, one) is None]
    for block in month.blocks:
        by = block.found_by()
        if by is None or by >= HOURS:
            continue
        hits = [one for one in found if _true_of(month, one) is block]
        first = min((one.found_ms // HOUR_MS - 1 for one in hits), default=None)
        if first is None or first > by:
            missed.append(f"{block.origin} at {block.first} by {by}: {first}")
        if first is not None:
            late.append(first - by + 24)
        ends = [one.ended_ms // HOUR_MS - block.last for one in hits if one.ended_ms is not None]
        ended += ends[-1:]
    told = tuple(f"{one.origin} since {one.since_ms // HOUR_MS}: {one.good}" for one in invented)
    return Judgement(tuple(missed), told, tuple(late), tuple(ended), len(late) + len(missed))


def _true_of(month: Month, one: BlockedNetwork) -> TrueBlock | None:
    found_hour = one.found_ms // HOUR_MS - 1
    for block in month.blocks:
        if block.origin == one.origin and block.first <= found_hour < block.last + 24:
            return block
    return None
