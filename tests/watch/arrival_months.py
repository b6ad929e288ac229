"""Two months of a backup MX, hour by hour: who comes to it, from which networks, and why.

Senders of many networks write to one domain. A few use the backup first, always; now and then a
mail of another comes here by mishap, or a path is out of order for half an hour. The primary has outages,
after which some servers keep coming for hours. Spammers come here on purpose, in waves. And four
networks are blocked, one after the other or at once. What is counted follows the rules of the store:
good is mail of an author whose mail the primary took before.
"""

import math
import random
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field

from secondpost.mail.address import Domain
from secondpost.mail.arrivals import OTHERS, BlockedNetwork, HourCount, PrimaryHour
from secondpost.mail.duration import HOUR_MS
from secondpost.watch.blocks import HourMail, SeenArrivals, counted_hours, judged

NET = Domain("example.net")
DAYS = 60
LEARNED_DAYS = 35  # before these
HOURS = 24 * (LEARNED_DAYS + DAYS)
BY_HOUR = (2, 1, 1, 1, 1, 2, 4, 8, 12, 14, 14, 12, 10, 12, 13, 13, 12, 10, 8, 7, 6, 5, 4, 3)  # of a day
AT_WEEKENDS = 0.4
MISHAP = 0.002  # a mail comes to the backup by accident
DRAINING_NETWORKS = 0.3  # whose servers remember that the primary was down
DRAINING_HOURS_MAX = 6
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
    drains: bool = False  # its servers remember for a while that the primary was down


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
        self.mails_a_day = mails_a_day
        self.dice = random.Random(seed)
        self.towns = [self._town(number) for number in range(min(25, 8 + int(mails_a_day / 10)))]
        total = sum(town.share for town in self.towns)
        for town in self.towns:
            town.share /= total
        for number in range(2):
            authors = tuple(f"backup{number}-{n}.example" for n in range(self.dice.randint(1, 3)))
            share = self.dice.uniform(0.7, 3.0) / min(self.mails_a_day, 100.0)
            self.towns.append(Town(f"AS{70_000 + number}", share, authors, uses_backup=True))
        self.outages = self._outages()
        self.down = frozenset(hour for outage in self.outages for hour in outage)
        self.unsure = self._after_outages(1.0)  # hours that say nothing: servers may still come here first
        self.draining = self._after_outages(0.5)  # hours in which some do
        self.blocks = self._blocks()
        self.mishaps = {(self.dice.choice(self.towns).origin, self.dice.randrange(HOURS)) for _ in range(6)}
        self.taken: set[str] = set()  # authors whose mail the primary took
        self.good: dict[str, list[int]] = defaultdict(list)  # hours of good mail, by origin
        self.counts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])  # of this hour

    def _town(self, number: int) -> Town:
        authors = tuple(f"a{number}-{n}.example" for n in range(self.dice.randint(3, 12)))
        drains = self.dice.random() < DRAINING_NETWORKS
        return Town(f"AS{64_500 + number}", 1 / (number + 1), authors, drains=drains)

    def _outages(self) -> list[range]:
        """Hours in which the primary was down, if only for minutes."""
        firsts = [self.dice.randrange(HOURS) for _ in range(self.dice.randint(5, 12))]
        return [range(first, first + self.dice.choice((1, 1, 1, 2, 4, 9, 30))) for first in firsts]

    def _after_outages(self, share: float) -> frozenset[int]:
        """The hours after each outage for a share of its length, at most six."""
        return frozenset(
            outage.stop + ago
            for outage in self.outages
            for ago in range(min(DRAINING_HOURS_MAX, math.ceil(len(outage) * share)))
        )

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

    def live(self, hour: int) -> None:
        """What comes to the backup in an hour."""
        weight = BY_HOUR[hour % 24] / sum(BY_HOUR) * (AT_WEEKENDS if hour // 24 % 7 >= 5 else 1.0)
        for town in self.towns:
            block = self.block_of(town.origin, hour)
            share = 1.0 if block is not None else self._share_here(town, hour)
            for _ in range(self._poisson(self.mails_a_day * town.share * weight * share)):
                author = town.authors[min(int(self.dice.expovariate(0.6)), len(town.authors) - 1)]
                self._came(town.origin, author, hour, block)

    def _share_here(self, town: Town, hour: int) -> float:
        """How much of the mail of a town that is not blocked comes to the backup."""
        if hour in self.down or town.uses_backup or (town.drains and hour in self.draining):
            return 1.0
        return 0.8 if (town.origin, hour) in self.mishaps else MISHAP

    def _came(self, origin: str, author: str, hour: int, block: TrueBlock | None) -> None:
        is_fresh = author not in self.taken
        self.taken.add(author)
        if hour in self.down:
            return
        if is_fresh:
            self.counts[origin, author][1] += 1
            return
        self.counts[origin, author][0] += 1
        self.good[origin].append(hour)
        if block is not None and hour not in self.unsure:
            block.good.append((hour, author))

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

    def counts_of(self, hour: int) -> list[HourCount]:
        """What the store has of an hour, which must follow the one asked for before."""
        self.counts.clear()
        self.live(hour)
        if self.dice.random() < 0.03:
            self.spam(hour)
        return [
            HourCount(NET, hour * HOUR_MS, origin, author, good, fresh, other)
            for (origin, author), (good, fresh, other) in self.counts.items()
        ]

    def primary_hours(self) -> list[PrimaryHour]:
        return [PrimaryHour(NET, hour * HOUR_MS, hour not in self.down) for hour in range(HOURS)]


@dataclass(frozen=True, slots=True)
class Judgement:
    missed: tuple[str, ...]
    invented: tuple[str, ...]  # most of whose messages no block brought
    after_end: tuple[str, ...]  # most of whose messages a block brought that had ended a day before
    hours_late: tuple[int, ...]  # from the fifth good mail to the alarm
    ended_early: int  # alarms that ended while their block lasted
    ended_late: tuple[int, ...]  # hours from the end of a block to the end of its alarm
    shown: int  # blocks that showed in five good mails


def watched(month: Month) -> Judgement:
    """Judges after every hour, as the watch does; adds each hour to those before instead of reading all
    again (secondpost.watch.blocks.seen_of), and forgets what is too old once a day."""
    known: dict[tuple[str, int], BlockedNetwork] = {}
    counted = counted_hours(month.primary_hours(), HOUR_MS)
    by_origin: dict[str, list[HourMail]] = defaultdict(list)
    first, until = 0, 0
    for hour in range(HOURS):
        counts = month.counts_of(hour)
        if until < len(counted) and counted[until] == hour:
            until += 1
            for one in counts:
                by_origin[one.network].append(HourMail(hour, one.author, one.good, one.fresh, one.other))
        if hour % 24 == 0:
            _forget(by_origin, hour - KEPT_HOURS)
            first = bisect_left(counted, hour - KEPT_HOURS)
        seen = SeenArrivals(NET, by_origin, counted[first:until], HOUR_MS)
        for block in judged(seen, list(known.values()), (hour + 1) * HOUR_MS):
            known[block.origin, block.since_ms] = block
    return _judgement(month, list(known.values()))


def _forget(by_origin: dict[str, list[HourMail]], before: int) -> None:
    for origin, mails in list(by_origin.items()):
        kept = [mail for mail in mails if mail.hour >= before]
        by_origin[origin] = kept
        if len(kept) == 0:
            del by_origin[origin]


def _judgement(month: Month, found: list[BlockedNetwork]) -> Judgement:
    missed, late, ended, early = [], [], [], 0
    wrong = [one for one in found if _true_of(month, one) is None]
    invented = tuple(_named(one) for one in wrong if not _is_late(month, one))
    after_end = tuple(_named(one) for one in wrong if _is_late(month, one))
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
        early += sum(1 for end in ends if end < 0)
        ended += [end for end in ends if end >= 0]
    shown = len(late) + sum(1 for one in missed if one.endswith("None"))
    return Judgement(tuple(missed), invented, after_end, tuple(late), early, tuple(ended), shown)


def _named(one: BlockedNetwork) -> str:
    return f"{one.origin} since {one.since_ms // HOUR_MS}: {one.good}"


def _is_late(month: Month, one: BlockedNetwork) -> bool:
    """Whether a block that is over brought most of the messages that showed it when it was found."""
    since, until = one.since_ms // HOUR_MS, one.found_ms // HOUR_MS
    came = [mail for mail in month.good[one.origin] if since <= mail < until]
    brought = [mail for mail in came if month.block_of(one.origin, mail) is not None]
    return len(brought) > len(came) / 2


def _true_of(month: Month, one: BlockedNetwork) -> TrueBlock | None:
    found_hour = one.found_ms // HOUR_MS - 1
    for block in month.blocks:
        if block.origin == one.origin and block.first <= found_hour < block.last + 24:
            return block
    return None
