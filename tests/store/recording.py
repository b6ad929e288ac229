"""An engine without a database: a test lists the queries that a verb must run, with their results.

  engine = RecordingEngine([("intake.learned", [(1, 5, "relay")])])
  store = over(engine, IntakeVerbs)
  assert await store.learned(mailbox) == Learned(True, 5, "relay")
  assert engine.finished() == [Query("intake.learned", ("a@b.example",))]

Each query must exist in sql/, and get the parameters and set that its text requires.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from secondpost.store.sqlite.statements import QUERIES
from secondpost.store.verbs.engine import CHANGE_UNITS, Verb, Verbs
from secondpost.store.verbs.steps import Query, QueryResult, Row, Steps, drive
from secondpost.world.ports import Held
from tests.clock import SetClock

P = TypeVar("P")
R = TypeVar("R")
V = TypeVar("V", bound=Verbs)

# A query's name, and its result: rows, or the number of rows written.
Given = tuple[str, Sequence[Row] | int]

_NUMBERED = re.compile(r"\?(\d+)")


@dataclass(slots=True)
class Lock:
    """Held until it is released."""

    name: str
    is_released: bool = False

    def release(self) -> None:
        self.is_released = True


@dataclass(slots=True)
class RecordingEngine:
    """Implements Engine. Raises AssertionError if a verb runs an unexpected query."""

    given: Sequence[Given]
    worker_number: int | None = 1
    clock: SetClock = field(default_factory=SetClock)
    busy_locks: Sequence[str] = ()  # of running workers
    content_files: dict[str, bytes] = field(default_factory=dict)
    asked: list[Query] = field(default_factory=list)
    log_octets: int = 0  # what a checkpoint copies
    is_closed: bool = False
    removed: list[str] = field(default_factory=list)  # locks and files, in order
    witness_epochs: list[int] = field(default_factory=list)  # as written beside the database
    ended_mail: bool = False  # whether a verb ran that may end deliveries

    def finished(self) -> list[Query]:
        """The queries that were run; raises AssertionError if an expected one is missing."""
        left = [name for name, _ in self.given[len(self.asked) :]]
        assert left == [], f"not run: {left}"
        return self.asked

    async def write(self, verb: Verb[P, R], payload: P, units: int) -> R:
        assert units > 0, "a write costs something"
        self.ended_mail = self.ended_mail or verb.ends_mail
        [result] = drive(verb.steps([payload]), self._answer)
        return result

    def write_all(self, verb: Verb[P, R], payloads: Sequence[P]) -> list[R]:
        """Run payloads as one group, like an adapter."""
        self.ended_mail = self.ended_mail or verb.ends_mail
        results = list(drive(verb.steps(payloads), self._answer))
        assert len(results) == len(payloads), "a result for each payload"
        return results

    async def change(
        self, verb: Callable[[], Steps[R]], units: int = CHANGE_UNITS, *, ends_mail: bool = False
    ) -> R:
        assert units > 0, "a write costs something"
        self.ended_mail = self.ended_mail or ends_mail
        return drive(verb(), self._answer)

    def change_some(
        self, verb: Callable[[], Steps[R]], units: int, *, ends_mail: bool = False
    ) -> Awaitable[R]:
        return self.change(verb, units, ends_mail=ends_mail)

    async def read(self, steps: Steps[R]) -> R:
        return drive(steps, self._answer)

    def hold(self, lock: str) -> Held | None:
        return None if lock in self.busy_locks else Lock(lock)

    async def read_file(self, name: str, at: int, octets: int) -> bytes:
        return self.content_files[name][at : at + octets]

    def remove_lock(self, lock: str) -> None:
        self.removed.append(lock)

    async def files_of(self, worker: int) -> list[str]:
        return [name for name in self.content_files if name.startswith(f"content/{worker}-")]

    async def remove_files(self, names: Sequence[str]) -> None:
        self.removed += names

    async def write_witness(self, epoch: int) -> None:
        self.witness_epochs.append(epoch)

    async def remove_leaving(self) -> None:
        self.removed.append("what is leaving")

    async def checkpoint(self) -> int:
        return self.log_octets

    def close(self) -> None:
        self.is_closed = True

    def _answer(self, query: Query) -> QueryResult:
        place = len(self.asked)
        assert place < len(self.given), f"{query.name} is run, and nothing more was expected"
        name, gives = self.given[place]
        assert query.name == name, f"{query.name} is run in place of {name}"
        _check(query)
        self.asked.append(query)
        return QueryResult([], gives) if isinstance(gives, int) else QueryResult(gives, len(gives))


def over(engine: RecordingEngine, verbs: type[V]) -> V:
    """A group of verbs that runs on this engine."""
    return verbs(engine)


def names(queries: Sequence[Query]) -> list[str]:
    return [query.name for query in queries]


def _check(query: Query) -> None:
    """Check that a query has all its parameters, and rows of the width of its set."""
    named = QUERIES[query.name]
    text = named.text.replace("{conditions}", query.conditions)
    places = max((int(n) for n in _NUMBERED.findall(text)), default=0)
    assert len(query.binds) == places, f"{query.name} takes {places} values, and gets {query.binds}"
    if named.chosen is None:
        assert query.chosen is None, f"{query.name} has no set"
        return
    assert query.chosen is not None, f"{query.name} is given no {named.chosen.name}"
    for row in query.chosen:
        assert len(row) == len(named.chosen.columns), f"{query.name}: {row} is no {named.chosen.columns}"
        for value, (column, type) in zip(row, named.chosen.columns, strict=True):
            assert value is None or isinstance(value, _TYPES[type]), f"{query.name}: {column} is no {type}"


_TYPES: dict[str, tuple[type, ...]] = {"integer": (int,), "text": (str,), "blob": (bytes,)}
