"""Runs the verbs on PostgreSQL: queued jobs form a group in one serializable transaction.

The connection lives in a thread with its own loop, so that tests can also wait for it without a
loop.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar, cast

import asyncpg

from secondpost.mail.content import CONTENT_FOLDER
from secondpost.store.ports import StoreUnavailable
from secondpost.store.sqlite.leaving import leaving_files
from secondpost.store.verbs.engine import CHANGE_UNITS, EACH, EACH_ENDING, Verb, applied_together
from secondpost.store.verbs.named import Named, read_queries, shared_queries
from secondpost.store.verbs.steps import Query, QueryResult, Row, Steps, Value, run
from secondpost.store.verbs.workers import WORKERS_FOLDER, Worker, enter, leave
from secondpost.world.ports import Clock, Disk, Held
from tests.store.postgres.server import USER
from tests.store.postgres.statements import statement

P = TypeVar("P")
R = TypeVar("R")

TRIES_MAX = 5
AGAIN = (
    asyncpg.exceptions.SerializationError,
    asyncpg.exceptions.DeadlockDetectedError,
    asyncpg.exceptions.UniqueViolationError,
)


class Wire:
    """One connection in its own thread; runs its jobs in order."""

    def __init__(self, folder: Path, database: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        own = (Path(__file__).parent / "engine.sql").read_text(encoding="utf-8")
        self._queries: dict[str, Named] = {**shared_queries(), **read_queries(own, "engine")}
        self._lock = asyncio.Lock()
        self._prepared: dict[str, asyncpg.prepared_stmt.PreparedStatement] = {}
        self._db = self.wait(asyncpg.connect(host=str(folder), user=USER, database=database))

    @property
    def is_closed(self) -> bool:
        return self._loop.is_closed()

    def wait(self, asked: Coroutine[object, None, R]) -> R:
        return asyncio.run_coroutine_threadsafe(asked, self._loop).result()

    def ask(self, asked: Coroutine[object, None, R]) -> Awaitable[R]:
        return asyncio.wrap_future(asyncio.run_coroutine_threadsafe(asked, self._loop))

    async def look(self, steps: Steps[R]) -> R:
        """Run steps in a read-only transaction."""
        async with self._lock, self._db.transaction(isolation="repeatable_read", readonly=True):
            return await self._drive(steps)

    async def in_transaction(self, steps: Callable[[], Steps[R]]) -> R:
        """Run steps in a transaction; retry after a serialization or unique-key conflict."""
        async with self._lock:
            for tried in range(TRIES_MAX):
                try:
                    async with self._db.transaction(isolation="serializable"):
                        return await self._drive(steps())
                except AGAIN:
                    if tried + 1 == TRIES_MAX:
                        raise
        raise AssertionError("a verb is tried at least once")

    async def _drive(self, steps: Steps[R]) -> R:
        try:
            query = next(steps)
            while True:
                query = steps.send(await self._answer(query))
        except StopIteration as end:
            result: R = end.value
            return result

    async def _answer(self, query: Query) -> QueryResult:
        text, values = statement(self._queries[query.name], query)
        if text.startswith(("SAVEPOINT", "ROLLBACK", "RELEASE")):
            await self._db.execute(text)
            return QueryResult([])
        prepared = self._prepared.get(text)
        if prepared is None:
            prepared = self._prepared[text] = await self._db.prepare(text)
        found: list[Row] = [tuple(_value(one) for one in record) for record in await prepared.fetch(*values)]
        count = prepared.get_statusmsg().rpartition(" ")[2]
        return QueryResult(found, int(count) if count.isdigit() else 0)

    def run(self, text: str) -> None:
        """Run a statement outside of any transaction, then close the connection."""
        self.wait(self._db.execute(text))
        self.close()

    def close(self) -> None:
        """Close; may be called twice."""
        if self.is_closed:
            return
        self.wait(self._db.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def _value(value: object) -> Value:
    """The value as SQLite returns it: booleans and sums are integers."""
    if isinstance(value, bool | Decimal):
        return int(value)
    return cast("Value", value)


class _Job(Generic[P, R]):
    def __init__(self, verb: Verb[P, R], payload: P) -> None:
        self.verb = verb
        self.payload = payload
        self.answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()


class PostgresEngine:
    """The Engine of one database for one worker."""

    def __init__(self, wire: Wire, disk: Disk, clock: Clock) -> None:
        self.wire = wire
        self.disk = disk
        self.clock = clock
        self._worker: Worker | None = None  # None for a command
        disk.make_folder(CONTENT_FOLDER)
        disk.make_folder(WORKERS_FOLDER)
        self._queue: list[_Job[object, object]] = []
        self._runner: asyncio.Task[None] | None = None
        self._is_closed = False

    def write(self, verb: Verb[P, R], payload: P, units: int) -> Awaitable[R]:
        job = _Job(verb, payload)
        if self._is_closed:
            job.answer.set_exception(StoreUnavailable("the store is closed"))
            return job.answer
        self._queue.append(cast("_Job[object, object]", job))
        if self._runner is None or self._runner.done():
            self._runner = asyncio.get_running_loop().create_task(self._run())
        return job.answer

    def change(
        self, verb: Callable[[], Steps[R]], units: int = CHANGE_UNITS, *, ends_mail: bool = False
    ) -> Awaitable[R]:
        return self.write(
            cast("Verb[Callable[[], Steps[R]], R]", EACH_ENDING if ends_mail else EACH), verb, units
        )

    def change_some(
        self, verb: Callable[[], Steps[R]], units: int, *, ends_mail: bool = False
    ) -> Awaitable[R]:
        return self.change(verb, units, ends_mail=ends_mail)

    def enter(self, role: str, numbers: range) -> None:
        now_ms = self.clock.now_ms()
        self._worker = self.wire.wait(
            self.wire.in_transaction(lambda: enter(self.hold, role, numbers, now_ms))
        )

    @property
    def worker_number(self) -> int | None:
        return None if self._worker is None else self._worker.number

    def close(self) -> None:
        """Finish queued jobs, then accept no more and leave the workers. May be called twice."""
        self._is_closed = True
        jobs, self._queue = self._queue, []
        for job in jobs:
            [result] = self.wire.wait(self.wire.in_transaction(partial(job.verb.steps, [job.payload])))
            job.answer.set_result(result)
        if self._worker is not None and not self.wire.is_closed:
            worker, written = self._worker.number, self._written_by(self._worker.number)
            if self.wire.wait(self.wire.in_transaction(lambda: leave(worker, written))):
                self.remove_lock(self._worker.lock)
            self._worker.held.release()
        self.wire.close()

    async def checkpoint(self) -> int:
        """PostgreSQL sees to its log itself."""
        return 0

    async def read(self, steps: Steps[R]) -> R:
        if self._is_closed:
            raise StoreUnavailable("the store is closed")
        return await self.wire.ask(self.wire.look(steps))

    def hold(self, lock: str) -> Held | None:
        return self.disk.hold(lock)

    def remove_lock(self, lock: str) -> None:
        self.disk.remove(lock)

    async def read_file(self, name: str, at: int, octets: int) -> bytes:
        return self.disk.read(name, at, octets)

    async def files_of(self, worker: int) -> list[str]:
        return self._written_by(worker)

    def _written_by(self, worker: int) -> list[str]:
        names = self.disk.names(CONTENT_FOLDER)
        return [f"{CONTENT_FOLDER}/{name}" for name in names if name.startswith(f"{worker}-")]

    async def remove_files(self, names: Sequence[str]) -> None:
        for name in names:
            self.disk.remove(name)

    async def _run(self) -> None:
        while len(self._queue) > 0:
            jobs, self._queue = self._queue, []
            for group in applied_together(jobs):
                await self._finish(group)

    async def _finish(self, group: "Sequence[_Job[object, object]]") -> None:
        """Finish a group; its jobs run one by one if they cannot succeed together."""
        steps = partial(group[0].verb.steps, [job.payload for job in group])
        try:
            results = await self.wire.ask(self.wire.in_transaction(steps))
        except Exception as error:  # noqa: BLE001  its waiter needs an answer, also after a bug
            if len(group) > 1:
                for job in group:
                    await self._finish([job])
            elif not group[0].answer.done():
                group[0].answer.set_exception(error)
            return
        if group[0].verb.ends_mail:
            await self.remove_leaving()
        for job, result in zip(group, results, strict=True):
            if not job.answer.done():
                job.answer.set_result(result)

    async def write_witness(self, epoch: int) -> None:
        """A database on a server has no file beside it."""

    async def remove_leaving(self) -> None:
        names = await self.read(leaving_files())
        await self.remove_files(names)
        removed = [(name,) for name in names]
        await self.wire.ask(self.wire.in_transaction(lambda: run("claims.file_has_left", chosen=removed)))
