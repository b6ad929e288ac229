"""What the verbs need from an adapter."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from secondpost.store.verbs.steps import Steps, in_turn
from secondpost.world.ports import Clock, Held

P = TypeVar("P")
R = TypeVar("R")

# A unit is about 20 microseconds of database work.
CHANGE_UNITS = 16  # a verb of a few queries
BATCH_ROWS = 200  # rows changed at most by one verb: some milliseconds of the write lock
OCTETS_PER_UNIT = 16 * 1024


@dataclass(frozen=True, slots=True, eq=False)
class Verb(Generic[P, R]):
    """A verb over a batch: it gets all payloads of its kind in a group, and returns a result for
    each.

    `goes_first`: its order among other verbs does not matter, so that a group's payloads are taken
    together. `ends_mail`: it may end deliveries, and with them content files.
    """

    steps: Callable[[Sequence[P]], Steps[Sequence[R]]]
    goes_first: bool = False
    ends_mail: bool = False


EACH: Verb[Callable[[], Steps[object]], object] = Verb(in_turn)
EACH_ENDING: Verb[Callable[[], Steps[object]], object] = Verb(in_turn, ends_mail=True)


class HasVerb(Protocol):
    @property
    def verb(self) -> Verb[object, object]: ...


J = TypeVar("J", bound=HasVerb)


def applied_together(jobs: Sequence[J]) -> list[list[J]]:
    """A group's jobs in lists of one verb each: first the verbs whose order does not matter, then
    neighbours of one verb.
    """
    first: dict[int, list[J]] = {}
    rest: list[list[J]] = []
    for job in jobs:
        if job.verb.goes_first:
            first.setdefault(id(job.verb), []).append(job)
        elif len(rest) > 0 and rest[-1][0].verb is job.verb:
            rest[-1].append(job)
        else:
            rest.append([job])
    return [*first.values(), *rest]


class Engine(Protocol):
    """An open database, with its workers' locks and content files."""

    @property
    def clock(self) -> Clock: ...

    @property
    def worker_number(self) -> int | None:
        """Our number among the workers; None for a command."""
        ...

    def write(self, verb: Verb[P, R], payload: P, units: int) -> Awaitable[R]:
        """Run a verb; done when durable. Raises StoreUnavailable, StoreFull, DiskFailed, and what
        the verb raises.
        """
        ...

    def change(
        self, verb: Callable[[], Steps[R]], units: int = CHANGE_UNITS, *, ends_mail: bool = False
    ) -> Awaitable[R]:
        """Run a verb that takes no payload and shares no query."""
        ...

    def change_some(
        self, verb: Callable[[], Steps[R]], units: int, *, ends_mail: bool = False
    ) -> Awaitable[R]:
        """`change` for one of many consecutive batches; the adapter may pause after it."""
        ...

    async def read(self, steps: Steps[R]) -> R:
        """Read committed data; may complete without suspending. Raises StoreUnavailable and
        DiskFailed.
        """
        ...

    def hold(self, lock: str) -> Held | None:
        """Take a worker's lock; None while that worker lives."""
        ...

    def remove_lock(self, lock: str) -> None:
        """Remove the lock of a worker that is gone."""
        ...

    async def read_file(self, name: str, at: int, octets: int) -> bytes:
        """Read a piece of a content file; may complete without suspending. Raises
        FileNotFoundError, FileUnreadable.
        """
        ...

    async def files_of(self, worker: int) -> list[str]:
        """The content files that a worker wrote."""
        ...

    async def remove_files(self, names: Sequence[str]) -> None:
        """Remove content files for good. Raises DiskFailed, DiskFull."""
        ...

    async def write_witness(self, epoch: int) -> None:
        """Write the epoch beside the database, durably. An engine without files does nothing."""
        ...

    async def remove_leaving(self) -> None:
        """Remove the content files and rows of messages that have ended; what cannot go now stays
        for the next time.
        """
        ...

    async def checkpoint(self) -> int:
        """See the port Keeping. An engine that manages its own log returns 0."""
        ...

    def close(self) -> None:
        """See the port Keeping."""
        ...


class Verbs:
    """Base of the groups of verbs; holds the engine that runs them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
