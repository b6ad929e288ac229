"""Counts the calls that a role makes, so that a crash can fall in the middle of one."""

from collections.abc import Callable
from typing import cast

from secondpost.store.newsletter_store_ports import NewsletterStore


class CallWatch:
    """Waits for the n-th next call of a method by a role."""

    def __init__(self) -> None:
        self._awaited: dict[tuple[str, str], tuple[int, Callable[[], None]]] = {}

    def after(self, role: str, verb: str, calls: int, strike: Callable[[], None]) -> None:
        self._awaited[role, verb] = (calls, strike)

    def forget(self, role: str, verb: str) -> None:
        self._awaited.pop((role, verb), None)

    def took(self, role: str, verb: str) -> None:
        awaited = self._awaited.get((role, verb))
        if awaited is None:
            return
        left, strike = awaited[0] - 1, awaited[1]
        if left > 0:
            self._awaited[role, verb] = (left, strike)
            return
        del self._awaited[role, verb]
        strike()


class _Watched:
    """A store that reports every method that is used."""

    def __init__(self, store: NewsletterStore, took: Callable[[str], None]) -> None:
        self._store = store
        self._took = took

    def __getattr__(self, name: str) -> object:
        self._took(name)
        return getattr(self._store, name)


def watched(store: NewsletterStore, took: Callable[[str], None]) -> NewsletterStore:
    return cast(NewsletterStore, _Watched(store, took))
