"""What the contract needs of an adapter: a place where a store can be opened, again and by several."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from secondpost.store.owner_ports import Desk
from secondpost.store.ports import Claims, Intake, Keeping
from secondpost.store.sqlite import SqliteNewsletterStore, SqliteStore
from secondpost.store.subscriber_ports import NewsletterStore
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.work import RealWork
from tests.clock import SetClock

T = TypeVar("T")


def there(found: T | None) -> T:
    """What a read found, which must be something."""
    assert found is not None
    return found


class Store(Intake, Claims, Desk, Keeping, Protocol):
    """All ports of one store."""


class Place(Protocol):
    """One adapter's place; another adapter adds one more of these to conftest.py."""

    clock: SetClock
    failures: list[BaseException]

    def open(self, role: str = "deliver", busy_seconds: float = 5.0) -> Store: ...

    def open_desk(self) -> Store: ...

    def open_newsletter(self, role: str = "publish") -> NewsletterStore: ...

    @property
    def disk(self) -> RealDisk:
        """Where content files lie."""
        ...


@dataclass(slots=True)
class SqlitePlace:
    folder: str
    clock: SetClock = field(default_factory=SetClock)
    failures: list[BaseException] = field(default_factory=list)
    _closing: list[Callable[[], None]] = field(default_factory=list)

    @property
    def disk(self) -> RealDisk:
        return RealDisk(self.folder)

    def open(self, role: str = "deliver", busy_seconds: float = 5.0) -> SqliteStore:
        store = SqliteStore.open(
            self.disk,
            self._work(),
            self.clock,
            role=role,
            failed=self.failures.append,
            busy_seconds=busy_seconds,
        )
        self._closing.append(store.close)
        return store

    def open_desk(self) -> SqliteStore:
        store = SqliteStore.open_desk(
            self.disk, self._work(), self.clock, failed=self.failures.append, busy_seconds=5.0
        )
        self._closing.append(store.close)
        return store

    def open_newsletter(self, role: str = "publish") -> SqliteNewsletterStore:
        store = SqliteNewsletterStore.open(
            self.disk, self._work(), self.clock, role=role, failed=self.failures.append, busy_seconds=5.0
        )
        self._closing.append(store.close)
        return store

    def _work(self) -> RealWork:
        work = RealWork(1)
        self._closing.append(work.close)
        return work

    async def close(self) -> None:
        """Stores before the threads they work in; twice does no harm."""
        while len(self._closing) > 0:
            self._closing.pop()()
        await asyncio.sleep(0)
