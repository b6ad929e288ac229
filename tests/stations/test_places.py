"""Places for connections: who gets one, who waits, and which are closed for it."""

import asyncio
from dataclasses import dataclass, field

import pytest

from secondpost.deliver.places import (
    MESSAGE_SECONDS,
    STILL_SECONDS,
    UP_LATELY_SECONDS,
    UP_LATELY_SITES_MAX,
    Places,
    Room,
    TimeLimits,
    UpLately,
)

NOW = 1000.0
PLACES = Places(at_once=10, strangers_max=8, aside_max=20)


@dataclass
class One:
    """A site, as seen by Places."""

    still_seconds: float = 0.0
    is_known: bool = False
    connections: int = 1
    patience_seconds: float = STILL_SECONDS
    broken_off: list["One"] = field(default_factory=list)

    @property
    def moved(self) -> float:
        return NOW - self.still_seconds

    def break_off(self) -> None:
        self.broken_off.append(self)


def test_those_that_get_on_hold_places_and_some_are_kept_for_those_that_took_mail_lately() -> None:
    assert PLACES.room([], NOW) == Room(known=10, strangers=8)
    assert PLACES.room([One() for _ in range(8)], NOW) == Room(known=2, strangers=0)
    assert PLACES.room([One(is_known=True) for _ in range(5)], NOW) == Room(known=5, strangers=5)
    assert PLACES.room([One() for _ in range(12)], NOW) == Room(known=0, strangers=0)


def test_those_that_stand_still_hold_none() -> None:
    assert PLACES.room([One(STILL_SECONDS) for _ in range(19)], NOW) == Room(10, 8)


def test_beyond_the_bound_those_that_harm_least_are_broken_off_first() -> None:
    idle = One(1.5, patience_seconds=0.0)
    early, late = One(5.0), One(3.0)
    known = One(7.0, is_known=True)
    message = One(MESSAGE_SECONDS + 1, patience_seconds=MESSAGE_SECONDS)
    many = [late, message, known, early, idle]
    for count, gone in ((14, [idle]), (15, [idle, early, late])):
        broken: list[One] = []
        for one in many:
            one.broken_off = broken
        few = Places(at_once=10, strangers_max=8, aside_max=19)
        fill = One(MESSAGE_SECONDS - 1, connections=count, patience_seconds=MESSAGE_SECONDS)
        few.room([*many, fill], NOW)
        assert broken[: len(gone)] == gone, count
        assert fill.broken_off == []


def test_messages_under_way_are_given_their_time_and_strangers_wait_for_it() -> None:
    under_way = [One(MESSAGE_SECONDS - 1, patience_seconds=MESSAGE_SECONDS) for _ in range(25)]
    assert PLACES.room(under_way, NOW) == Room(known=10, strangers=0)
    under_way += [One(2.0, patience_seconds=MESSAGE_SECONDS) for _ in range(20)]
    assert PLACES.room(under_way, NOW) == Room(known=0, strangers=0)
    assert [one for one in under_way if len(one.broken_off) > 0] == []


async def test_a_site_is_known_for_some_hours_and_the_earliest_is_forgotten() -> None:
    known, now = UpLately(), asyncio.get_running_loop().time()
    for site in ("a", "b", "a", *map(str, range(UP_LATELY_SITES_MAX - 2))):
        known.note(site, now)
    assert "a" in known
    known.note("c", now)
    assert [site for site in "abc" if site in known] == ["b", "c"], "noted again too soon, a keeps its turn"
    known.note("long ago", now - UP_LATELY_SECONDS)
    assert "long ago" not in known


async def test_all_time_limits_end_at_once() -> None:
    limits = TimeLimits()
    ended: list[int] = []

    async def wait(number: int) -> None:
        try:
            async with limits.within(None):
                await asyncio.sleep(1000)
        except TimeoutError:
            ended.append(number)

    tasks = [asyncio.ensure_future(wait(number)) for number in range(3)]
    await asyncio.sleep(0)
    limits.end()
    limits.end()
    await asyncio.gather(*tasks)
    assert ended == [0, 1, 2]
    limits.end()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


pytestmark = pytest.mark.anyio
