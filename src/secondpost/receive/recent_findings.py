"""What was found a moment ago: the next message of the same sender needs no second evaluation."""

import asyncio
from collections.abc import Hashable
from typing import Generic, TypeVar

from secondpost.receive.names import REMEMBERED_SECONDS

FINDINGS_MAX = 1_000

Key = TypeVar("Key", bound=Hashable)
Found = TypeVar("Found")


class RecentFindings(Generic[Key, Found]):
    """Findings by what they follow from, as long as the answers of DNS behind them are remembered. The
    oldest one goes when there are too many.
    """

    def __init__(self) -> None:
        self._findings: dict[Key, tuple[Found, float]] = {}  # and until when, in loop time

    def of(self, key: Key) -> Found | None:
        finding = self._findings.get(key)
        if finding is None or asyncio.get_running_loop().time() >= finding[1]:
            return None
        return finding[0]

    def remember(self, key: Key, found: Found) -> None:
        self._findings.pop(key, None)  # so that the dict is in order of time
        if len(self._findings) >= FINDINGS_MAX:
            del self._findings[next(iter(self._findings))]
        self._findings[key] = (found, asyncio.get_running_loop().time() + REMEMBERED_SECONDS)
