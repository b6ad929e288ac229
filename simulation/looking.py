"""Reads from a store outside of any event loop."""

from collections.abc import Coroutine
from typing import TypeVar

T = TypeVar("T")


def looked_at(reading: Coroutine[object, None, T]) -> T:
    """Run a read to its result: reads from SQLite complete without suspending."""
    try:
        reading.send(None)
    except StopIteration as end:
        found: T = end.value
        return found
    raise RuntimeError("a look at the store waits")
