"""A blocked network is found by the good mail that comes from it, and nothing else is taken for one."""

from collections.abc import Sequence

import pytest

from secondpost.mail.arrivals import OTHERS, BlockedNetwork, HourCount, PrimaryHour
from secondpost.mail.duration import HOUR_MS
from secondpost.watch.blocks import counted_hours, judged, seen_of
from tests.watch.arrival_months import NET, Month, watched

EAST, WEST = "AS64500", "AS64501"
NOW = 24 * 60  # hours


def up(hours: int = NOW, down: Sequence[int] = ()) -> list[PrimaryHour]:
    return [PrimaryHour(NET, hour * HOUR_MS, hour not in down) for hour in range(hours)]


def good(hour: int, author: str = "a.example", many: int = 1, origin: str = EAST) -> HourCount:
    return HourCount(NET, hour * HOUR_MS, origin, author, many, 0, 0)


def two_authors(hours: Sequence[int], origin: str = EAST) -> list[HourCount]:
    return [good(hour, f"{number % 2}.example", origin=origin) for number, hour in enumerate(hours)]


def found(
    counts: Sequence[HourCount], hours: Sequence[PrimaryHour] | None = None, now: int = NOW
) -> list[BlockedNetwork]:
    in_order = sorted(counts, key=lambda one: one.hour_ms)  # as the store gives them
    seen = seen_of(NET, in_order, up(now) if hours is None else hours, {}, HOUR_MS)
    return judged(seen, (), now * HOUR_MS)


FIVE = (NOW - 30, NOW - 22, NOW - 15, NOW - 9, NOW - 2)


def test_five_good_mails_of_two_authors_within_a_day_or_two_are_a_block() -> None:
    [block] = found(two_authors(FIVE))
    assert block == BlockedNetwork(
        NET, EAST, FIVE[0] * HOUR_MS, NOW * HOUR_MS, FIVE[4] * HOUR_MS, good=5, authors=2
    )


@pytest.mark.parametrize(
    "counts",
    [
        two_authors(FIVE[:4]),
        [good(hour) for hour in FIVE],
        [good(NOW - 5, "a.example", 40), good(NOW - 4, "b.example", 60)],
        [good(NOW - 5, "a.example", 40), good(NOW - 4, "b.example", 60), good(NOW - 90, "c.example")],
        [good(NOW - 60, "a.example", 40), good(NOW - 4, "b.example", 60)],
        [good(NOW - 60, "a.example", 3), good(NOW - 40, "c.example"), good(NOW - 4, "b.example", 3)],
        [
            good(NOW - 60, "a.example", 40),
            *two_authors((NOW - 50, NOW - 10)),
            good(NOW - 4, "b.example", 60),
            *two_authors(range(0, NOW - 500, 40)),
        ],
        two_authors([hour - 30 for hour in FIVE]),
        [*two_authors(FIVE), *two_authors(range(0, NOW - 500, 40))],
        [*two_authors(FIVE), HourCount(NET, FIVE[2] * HOUR_MS, EAST, OTHERS, 0, 0, 300)],
        [HourCount(NET, hour * HOUR_MS, EAST, f"{hour}.example", 0, 3, 50) for hour in FIVE],
        two_authors(FIVE, OTHERS),
    ],
    ids=[
        "four",
        "of one author",
        "a mishap of an hour",
        "a mishap after a stray mail",
        "two mishaps",
        "two mishaps and a stray mail",
        "two mishaps and what is usual",
        "longer ago than a day",
        "usual",
        "much spam, some of it well made",
        "authors never seen before",
        "networks beyond the bound of an hour",
    ],
)
def test_this_is_no_block(counts: list[HourCount]) -> None:
    assert found(counts) == []


def test_nothing_is_judged_before_it_is_known_what_is_usual() -> None:
    assert found(two_authors([40, 50, 60, 70, 80]), now=84) == []
    assert len(found(two_authors([100, 105, 110, 115, 118]), now=121)) == 1


def test_of_several_networks_only_those_are_found_that_stand_out() -> None:
    usual = two_authors(range(0, NOW, 20), WEST)
    assert [block.origin for block in found([*two_authors(FIVE), *usual])] == [EAST]
    assert {block.origin for block in found([*two_authors(FIVE), *two_authors(FIVE, WEST)])} == {EAST, WEST}


def test_where_mail_of_many_networks_comes_by_accident_one_that_sent_less_of_it_is_taken_as_they_are() -> (
    None
):
    in_a_week = two_authors([NOW - hours for hours in (160, 130, 100, 70, 40, 20, 2)])
    networks = [f"AS{number}" for number in range(64_600, 64_610)]
    strays = [one for origin in networks for one in two_authors(range(0, NOW - 400, 100), origin)]
    assert found([*in_a_week, *strays]) == []
    a_few = [one for one in strays if one.network in networks[:5]]
    assert [block.origin for block in found([*in_a_week, *a_few])] == [EAST]
    of_spam = [HourCount(NET, one.hour_ms, one.network, OTHERS, 0, 0, 30) for one in strays]
    assert [block.origin for block in found([*in_a_week, *strays, *of_spam])] == [EAST]


def test_after_an_outage_servers_that_remember_it_are_no_block() -> None:
    down = range(NOW - 12, NOW - 6)
    assert counted_hours(up(NOW, down), HOUR_MS)[-1] == NOW - 13
    drained = [good(hour, f"{hour}.example", 5) for hour in range(NOW - 6, NOW)]
    assert found(drained, up(NOW, down)) == []
    assert len(found(drained)) == 1


def test_hours_in_which_nobody_looked_say_nothing() -> None:
    hours = [one for one in up() if one.hour_ms < (NOW - 40) * HOUR_MS]
    assert found(two_authors(FIVE), hours) == []


def block_at(hour: int, counts: Sequence[HourCount], known: list[BlockedNetwork]) -> BlockedNetwork:
    shown = [one for one in counts if one.hour_ms <= hour * HOUR_MS]
    [block] = judged(seen_of(NET, shown, up(hour), {}, HOUR_MS), known, hour * HOUR_MS)
    return block


def test_it_stands_while_mail_comes_and_ends_when_hardly_any_does() -> None:
    counts = [good(hour, f"{hour % 3}.example") for hour in range(NOW - 200, NOW - 50, 2)]
    counts.append(good(NOW - 40, "later.example"))  # a stray mail of usual times
    block = block_at(NOW - 190, counts, [])
    for hour in (NOW - 100, NOW - 30, NOW - 14):
        block = block_at(hour, counts, [block])
        assert block.ended_ms is None
    block = block_at(NOW - 9, counts, [block])
    assert (block.ended_ms, block.good) == ((NOW - 9) * HOUR_MS, 76)


def test_what_a_block_brought_is_not_usual_afterwards() -> None:
    before = [good(hour, f"{hour % 3}.example") for hour in range(NOW - 400, NOW - 300, 2)]
    since, found_at, last, ended = (hour * HOUR_MS for hour in (NOW - 400, NOW - 390, NOW - 301, NOW - 270))
    over = BlockedNetwork(NET, EAST, since, found_at, last, 50, 3, ended)
    seen = seen_of(NET, [*before, *two_authors(FIVE)], up(), {}, HOUR_MS)
    assert [one.since_ms for one in judged(seen, [over], NOW * HOUR_MS)] == [FIVE[0] * HOUR_MS]


@pytest.mark.parametrize(("mails_a_day", "seed"), [(5.0, 3), (60.0, 7)])
def test_in_two_months_each_block_is_found_in_time_and_none_is_invented(
    mails_a_day: float, seed: int
) -> None:
    judgement = watched(Month(seed, mails_a_day))
    assert (judgement.missed, judgement.invented, judgement.after_end) == ((), (), ())
    assert judgement.ended_early == 0
    assert judgement.shown >= 2
