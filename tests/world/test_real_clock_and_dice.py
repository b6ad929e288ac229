"""The real clock and dice."""

import time

from secondpost.world.real.clock import RealClock
from secondpost.world.real.dice import RealDice


def test_the_clock_tells_milliseconds_since_1970() -> None:
    assert abs(RealClock().now_ms() - time.time() * 1000) < 5_000


def test_a_seed_repeats_the_choices_but_never_the_tokens() -> None:
    one, other = RealDice(7), RealDice(7)
    assert [one.fraction() for _ in range(5)] == [other.fraction() for _ in range(5)]
    assert one.shuffled(range(50)) == other.shuffled(range(50))
    assert one.token(16) != other.token(16)
    assert len(one.token(20)) == 20


def test_without_a_seed_two_dice_differ() -> None:
    assert RealDice().shuffled(range(50)) != RealDice().shuffled(range(50))


def test_shuffling_loses_nothing_and_leaves_the_original_alone() -> None:
    things = ["a", "b", "c"]
    assert sorted(RealDice(1).shuffled(things)) == ["a", "b", "c"]
    assert things == ["a", "b", "c"]
