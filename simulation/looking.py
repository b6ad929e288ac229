"""Looks at a store from outside of any loop."""

from collections.abc import Coroutine
from typing import TypeVar

T = TypeVar("T")


def looked_at(reading: Coroutine[object, None, T]) -> T:
    """What the store answers: a read of SQLite completes without suspending."""
    try:
        reading.send(None)
    except StopIteration as end:
        found: T = end.value
        return found
    raise RuntimeError("a look at the store waits")
