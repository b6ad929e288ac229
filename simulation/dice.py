"""Chance from a seed: three streams, never one.

One more draw in the product must not reshuffle the storm, and a new fault must not reorder the product.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


class SimDice:
    """The Dice port, and what peers and faults need besides."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)
        self.fraction = self._random.random  # the hot one: from 0 up to but not including 1

    def shuffled(self, things: Sequence[T]) -> list[T]:
        return self._random.sample(things, len(things))

    def token(self, octets: int) -> bytes:
        return self._random.randbytes(octets)

    def chance(self, probability: float) -> bool:
        return self.fraction() < probability

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.fraction()

    def whole(self, low: int, high: int) -> int:
        """From low to high, both included."""
        return self._random.randint(low, high)

    def one_of(self, things: Sequence[T]) -> T:
        return things[int(self.fraction() * len(things))]

    def some_of(self, things: Sequence[T], count: int) -> list[T]:
        return self._random.sample(things, count)


@dataclass(frozen=True, slots=True)
class ThreeDice:
    product: SimDice  # what the product itself asks for
    faults: SimDice  # the scenario: who writes when, what breaks
    scheduling: SimDice  # how long things take, how data is cut, who goes first

    @classmethod
    def of(cls, seed: int) -> "ThreeDice":
        return cls(*(SimDice(f"{seed}/{stream}") for stream in ("product", "faults", "scheduling")))
