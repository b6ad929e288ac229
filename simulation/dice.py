"""Randomness from a seed, in three independent streams.

One more draw in the product must not change the scenario, and a new fault must not change what the
product draws.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


class SimDice:
    """The Dice port, with more draws for peers and faults."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)
        self.fraction = self._random.random  # an attribute because it is called most often: 0 <= x < 1

    def shuffled(self, things: Sequence[T]) -> list[T]:
        return self._random.sample(things, len(things))

    def token(self, octets: int) -> bytes:
        return self._random.randbytes(octets)

    def chance(self, probability: float) -> bool:
        return self.fraction() < probability

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.fraction()

    def whole(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return self._random.randint(low, high)

    def one_of(self, things: Sequence[T]) -> T:
        return things[int(self.fraction() * len(things))]

    def some_of(self, things: Sequence[T], count: int) -> list[T]:
        return self._random.sample(things, count)


@dataclass(frozen=True, slots=True)
class ThreeDice:
    product: SimDice  # draws of the product itself
    faults: SimDice  # the scenario: who writes when, what fails
    scheduling: SimDice  # latencies, how data is split, which loop runs first

    @classmethod
    def of(cls, seed: int) -> "ThreeDice":
        return cls(*(SimDice(f"{seed}/{stream}") for stream in ("product", "faults", "scheduling")))
