"""Randomness: repeatable when given a seed, but never for secrets."""

import random
import secrets
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class RealDice:
    """Must be created after a fork: two processes with the same state would make equal choices."""

    def __init__(self, seed: int | None = None) -> None:
        """`seed` makes `fraction` and `shuffled` repeatable; None takes one from the system."""
        self._random = random.Random(seed)

    def fraction(self) -> float:
        return self._random.random()

    def shuffled(self, things: Sequence[T]) -> list[T]:
        return self._random.sample(things, len(things))

    def token(self, octets: int) -> bytes:
        # Never from the seed: otherwise one known token would reveal the next.
        return secrets.token_bytes(octets)
