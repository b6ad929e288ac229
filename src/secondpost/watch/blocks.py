"""Which networks cannot reach the primary, judged by the good mail that comes here while it is up for us.

Pure. Everything is counted in hours in which the primary was up and had been for a while ("counted
hours"); what came in others says nothing. A network is blocked if clearly more comes from it than
usual, of several authors and over some hours, and no longer once hardly anything comes.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from secondpost.mail.address import Domain
from secondpost.mail.arrivals import OTHERS, BlockedNetwork, HourCount, PrimaryHour

GOOD_LEAST = 5  # messages in the window
AUTHORS_LEAST = 2
HOURS_LEAST = 3  # different ones
OUTSIDE_LEAST = 2  # messages outside of the busiest two hours: a mishap on the way is over by then
ONE_MISHAP_GOOD_MAX = 6  # of more messages, the next busiest two hours are left out as well
TIMES_USUAL = 10  # how many times the usual must be exceeded, on top of GOOD_LEAST - 1
TIMES_OUTSIDE = 3  # the same outside of the busiest two hours, on top of OUTSIDE_LEAST - 1
BEGINS_HOURS = 24  # in which a good message came when a block is found
# Hours of the windows, each with the hours that must have been counted to know what is usual.
WINDOWS_HOURS = ((6, 72), (24, 72), (72, 168), (168, 336), (336, 336))
APART_HOURS_MAX = 168  # between these and the window, as long as it: a slow block may have begun there
WEEK_HOURS = 168
USUAL_HOURS_MIN = WEEK_HOURS + WINDOWS_HOURS[0][1]  # before it is known what usually comes
STRAY_HOURS = 21 * 24  # in so long one message may come here by accident
OF_OTHER_MAIL = 0.02  # of each other message in the window: where much spam comes from, some is well made
OF_EACH_NETWORK = 0.03  # of a message from a network is usual for each other network that came here before
NETWORKS_LEAST = 10  # that mail came from, before they say what comes from one by accident
DRAIN_HOURS_MAX = 6  # after an outage of at least that length some servers still come here first
QUIET_HOURS_LEAST, QUIET_HOURS_MAX = 24, 336
QUIET_MESSAGES = 20  # so many would have come in the quiet time if the block went on
QUIET_SHARE = 0.1  # of what came during the block is hardly anything


@dataclass(frozen=True, slots=True)
class HourMail:
    """What came in one hour, of one origin and author (mail/arrivals.HourCount)."""

    hour: int
    author: str
    good: int
    fresh: int
    other: int


@dataclass(frozen=True, slots=True)
class SeenArrivals:
    """What is judged of one backup domain. Hours are numbered from 1970 in lengths of `hour_ms`."""

    domain: Domain
    by_origin: Mapping[str, Sequence[HourMail]]  # in order of hours
    hours: Sequence[int]  # counted ones, in order
    hour_ms: int


def counted_hours(hours: Iterable[PrimaryHour], hour_ms: int) -> list[int]:
    """The numbers of the hours that count, from those of one domain in order of time."""
    counted: list[int] = []
    down, drains_until = 0, -1
    for one in hours:
        hour = one.hour_ms // hour_ms
        if not one.is_up:
            down += 1
            drains_until = hour + min(down, DRAIN_HOURS_MAX)
            continue
        down = 0
        if hour > drains_until:
            counted.append(hour)
    return counted


def seen_of(
    domain: Domain,
    counts: Iterable[HourCount],
    hours: Iterable[PrimaryHour],
    origins: Mapping[str, str],
    hour_ms: int,
) -> SeenArrivals:
    """`counts` and `hours` are in order of time. `origins`: the word of each network's origin; a network
    without one stands for itself.
    """
    counted = counted_hours((one for one in hours if one.domain == domain), hour_ms)
    among = frozenset(counted)
    by_origin: dict[str, list[HourMail]] = defaultdict(list)
    for one in counts:
        hour = one.hour_ms // hour_ms
        if one.domain == domain and one.network != OTHERS and hour in among:
            origin = origins.get(one.network, one.network)
            by_origin[origin].append(HourMail(hour, one.author, one.good, one.fresh, one.other))
    return SeenArrivals(domain, by_origin, counted, hour_ms)


def judged(seen: SeenArrivals, known: Sequence[BlockedNetwork], now_ms: int) -> list[BlockedNetwork]:
    """The networks that are blocked now, or whose block ended now. `known`: all found before."""
    judge = _Judge(seen, known, now_ms)
    standing = [one for one in known if one.domain == seen.domain and one.ended_ms is None]
    found = [judge.looked_again(one) for one in standing]
    names = {one.origin for one in standing}
    found += [one for origin in seen.by_origin if origin not in names for one in judge.begun(origin)]
    return found


def usual_a_week(
    seen: SeenArrivals, known: Sequence[BlockedNetwork], origin: str, now_ms: int
) -> float | None:
    """Good and fresh messages of an origin in a week, as it was before the last one and outside of
    blocks; None if that is not known yet.
    """
    if len(seen.hours) < USUAL_HOURS_MIN:
        return None
    usual = _Judge(seen, known, now_ms).usual(origin, seen.hours[-WEEK_HOURS])
    return WEEK_HOURS * usual.good / usual.hours


@dataclass(frozen=True, slots=True)
class Usual:
    """What came from one origin before a window, in counted hours."""

    hours: int
    good: int
    others: int  # other origins of which anything came
    typical: int  # good messages of the network in the middle of all; 0: not known

    def expected(self, hours: int) -> float:
        """Messages in so many hours, taken as usual."""
        good = max(self.good, self.typical)
        own = good - 1 if good > 0 and self.hours >= STRAY_HOURS else good
        return hours * (own + OF_EACH_NETWORK * self.others) / self.hours


class _Judge:
    def __init__(self, seen: SeenArrivals, known: Sequence[BlockedNetwork], now_ms: int) -> None:
        self._seen = seen
        self._now_ms = now_ms
        self._typical_before: dict[int, int] = {}
        self._spans: dict[str, list[tuple[int, int]]] = defaultdict(list)  # of blocks, by origin
        for one in known:
            if one.domain == seen.domain:
                until_ms = now_ms if one.ended_ms is None else one.ended_ms
                self._spans[one.origin].append((one.since_ms // seen.hour_ms, until_ms // seen.hour_ms))

    @cached_property
    def _first(self) -> list[int]:
        """When the first good mail came from each origin, without what blocks brought."""
        return [
            next((mail.hour for mail in self._outside_blocks(origin) if mail.good > 0), self._seen.hours[-1])
            for origin in self._seen.by_origin
        ]

    def _outside_blocks(self, origin: str) -> Sequence[HourMail]:
        mails, spans = self._seen.by_origin.get(origin, ()), self._spans.get(origin, ())
        if len(spans) == 0:
            return mails
        return [mail for mail in mails if not any(first <= mail.hour <= last for first, last in spans)]

    def begun(self, origin: str) -> list[BlockedNetwork]:
        """The block that shows now, by the shortest window in which it does."""
        mails, hours = self._outside_blocks(origin), self._seen.hours
        if not any(mail.good > 0 for mail in mails[_from(mails, _ago(hours, BEGINS_HOURS)) :]):
            return []
        for length, learned in WINDOWS_HOURS:
            apart = min(length, APART_HOURS_MAX)
            if len(hours) < length + apart + learned:
                return []
            window = mails[_from(mails, _ago(hours, length)) :]
            if _is_enough(window):
                usual = self._usual(mails, _ago(hours, length + apart))
                if _stands_out(window, usual.expected(length)):
                    return [self._block(origin, window)]
        return []

    def usual(self, origin: str, before_hour: int) -> Usual:
        return self._usual(self._outside_blocks(origin), before_hour)

    def _usual(self, mails: Sequence[HourMail], before_hour: int) -> Usual:
        hours = bisect_left(self._seen.hours, before_hour)
        good = sum(mail.good + mail.fresh for mail in mails[: _from(mails, before_hour)])
        others = sum(1 for first in self._first if first < before_hour)
        return Usual(hours, good, others, self._typical(before_hour))

    def _typical(self, before_hour: int) -> int:
        """Good messages, before that hour, of the network in the middle of all that brought more good
        mail than other. 0 while those are few: then accidents are rare.
        """
        if before_hour not in self._typical_before:
            many = []
            for origin in self._seen.by_origin:
                mails = self._outside_blocks(origin)
                came = mails[: _from(mails, before_hour)]
                good = sum(mail.good for mail in came)
                if good > sum(mail.other for mail in came):
                    many.append(good)
            typical = sorted(many)[len(many) // 2] if len(many) >= NETWORKS_LEAST else 0
            self._typical_before[before_hour] = typical
        return self._typical_before[before_hour]

    def _block(self, origin: str, window: Sequence[HourMail]) -> BlockedNetwork:
        hour_ms = self._seen.hour_ms
        good = [mail for mail in window if mail.good > 0]
        return BlockedNetwork(
            self._seen.domain,
            origin,
            since_ms=good[0].hour * hour_ms,
            found_ms=self._now_ms,
            last_ms=good[-1].hour * hour_ms,
            good=sum(mail.good for mail in good),
            authors=_authors(window),
        )

    def looked_again(self, block: BlockedNetwork) -> BlockedNetwork:
        """What came meanwhile, and whether the block ended."""
        hour_ms = self._seen.hour_ms
        first = block.since_ms // hour_ms
        mails = [mail for mail in self._seen.by_origin.get(block.origin, ()) if mail.hour >= first]
        if any(mail.good > 0 for mail in mails):
            anew = self._block(block.origin, mails)
            block = replace(block, last_ms=anew.last_ms, good=anew.good, authors=anew.authors)
        return replace(block, ended_ms=self._now_ms) if self._is_over(block, mails, first) else block

    def _is_over(self, block: BlockedNetwork, mails: Sequence[HourMail], first: int) -> bool:
        last = block.last_ms // self._seen.hour_ms
        since = self._seen.hours[bisect_left(self._seen.hours, first) :]
        rate = block.good / max(1, bisect_right(since, last))
        quiet = min(max(QUIET_HOURS_LEAST, int(QUIET_MESSAGES / rate)), QUIET_HOURS_MAX)
        if len(since) <= quiet:
            return False
        came = sum(mail.good for mail in mails if mail.hour > since[-quiet - 1])
        usual = self._usual(self._outside_blocks(block.origin), first - APART_HOURS_MAX)
        expected = usual.expected(quiet) if usual.hours > 0 else 0.0
        return came <= QUIET_SHARE * rate * quiet + 2 * expected


def _ago(hours: Sequence[int], many: int) -> int:
    """The hour with which the last so many counted ones begin."""
    return hours[max(0, len(hours) - many)]


def _from(mails: Sequence[HourMail], hour: int) -> int:
    return bisect_left(mails, hour, key=lambda mail: mail.hour)


def _authors(mails: Sequence[HourMail]) -> int:
    return len({mail.author for mail in mails if mail.good + mail.fresh > 0 and mail.author != OTHERS})


def _good_by_hour(window: Sequence[HourMail]) -> Counter[int]:
    by_hour = Counter[int]()
    for mail in window:
        if mail.good > 0:
            by_hour[mail.hour] += mail.good
    return by_hour


def _is_enough(window: Sequence[HourMail]) -> bool:
    by_hour = _good_by_hour(window)
    return by_hour.total() >= GOOD_LEAST and len(by_hour) >= HOURS_LEAST and _authors(window) >= AUTHORS_LEAST


def _stands_out(window: Sequence[HourMail], expected: float) -> bool:
    """Whether much more came than was expected, and not only by mishaps on the way."""
    by_hour = _good_by_hour(window)
    good, other = by_hour.total(), sum(mail.other for mail in window)
    outside = _outside_busiest(by_hour)
    if good > ONE_MISHAP_GOOD_MAX:
        outside = _outside_busiest(outside)
    return (
        good > GOOD_LEAST - 1 + TIMES_USUAL * expected + OF_OTHER_MAIL * other
        and outside.total() > OUTSIDE_LEAST - 1 + TIMES_OUTSIDE * expected
    )


def _outside_busiest(by_hour: Counter[int]) -> Counter[int]:
    """Without the two hours, one after the other, in which most came."""
    busiest = max(by_hour, key=lambda hour: by_hour[hour] + by_hour[hour + 1], default=0)
    return Counter({hour: many for hour, many in by_hour.items() if not 0 <= hour - busiest <= 1})
