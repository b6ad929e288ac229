"""Chooses by chance: repeatably when given a seed, and unguessably where that matters."""

import random
import secrets
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class RealDice:
    """Made after a fork, never before: two processes with the same state would choose alike."""

    def __init__(self, seed: int | None = None) -> None:
        """`seed` repeats `fraction` and `shuffled`; None takes one from the system."""
        self._random = random.Random(seed)

    def fraction(self) -> float:
        return self._random.random()

    def shuffled(self, things: Sequence[T]) -> list[T]:
        return self._random.sample(things, len(things))

    def token(self, octets: int) -> bytes:
        # Never from the seed: whoever learns one token could compute the next.
        return secrets.token_bytes(octets)
