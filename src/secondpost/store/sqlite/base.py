"""What all parts of the store share: the writer, a connection for reads, the disk, the clock."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

import apsw
import msgspec

from secondpost.mail.content import CONTENT_FOLDER
from secondpost.store.ports import StoreUnavailable
from secondpost.store.sqlite.connection import told
from secondpost.store.sqlite.group import JobKind, Writer
from secondpost.store.sqlite.log_bounds import LogBounds
from secondpost.store.sqlite.statements import QUERIES, Statements, answer
from secondpost.store.verbs.engine import CHANGE_UNITS, EACH, EACH_ENDING, Engine, Verb
from secondpost.store.verbs.steps import Query, QueryResult, Steps, Value, drive, rows, run
from secondpost.world.ports import Clock, Disk, DiskFailed, DiskFull, Held, Work

P = TypeVar("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Worker:
    """Our entry among the workers; `held` is the lock that shows others that we live."""

    number: int
    lock: str
    held: Held


@dataclass(frozen=True, slots=True)
class Opened:
    """An open database and what goes with it."""

    db: apsw.Connection  # the writer's; used in the loop only if `in_line`
    reader: apsw.Connection
    writer: Writer
    disk: Disk
    work: Work
    clock: Clock
    failed: Callable[[BaseException], None]
    path_name: str
    worker: Worker | None  # None for a command
    in_line: bool
    log_bounds: LogBounds


def as_json(things: Sequence[object]) -> str:
    return msgspec.json.encode(things).decode()


class Base:
    """Reads run directly in the loop; writes join a group."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._engine: Engine = self
        self._statements = Statements(QUERIES)
        self._kinds: dict[Verb[object, object], JobKind[object, object]] = {}
        self._writer = opened.writer
        self._writer.after_group = self._after_group
        self._files_leave = False  # set in the writer's thread, read in the loop
        self._remover: asyncio.Task[None] | None = None

    # ---- the engine that the verbs run on

    @property
    def clock(self) -> Clock:
        return self._opened.clock

    @property
    def worker_number(self) -> int | None:
        worker = self._opened.worker
        return None if worker is None else worker.number

    def write(self, verb: Verb[P, R], payload: P, units: int) -> Awaitable[R]:
        return self._writer.write(self._kind(verb), payload, units)

    def change(
        self, verb: Callable[[], Steps[R]], units: int = CHANGE_UNITS, *, ends_mail: bool = False
    ) -> Awaitable[R]:
        each = cast("Verb[Callable[[], Steps[R]], R]", EACH_ENDING if ends_mail else EACH)
        return self.write(each, verb, units)

    def change_some(
        self, verb: Callable[[], Steps[R]], units: int, *, ends_mail: bool = False
    ) -> Awaitable[R]:
        return self.change(verb, units, ends_mail=ends_mail)

    async def read(self, steps: Steps[R]) -> R:
        """Run without suspending, on the loop's own connection and in the caller's thread."""
        return self.read_now(steps)

    def read_now(self, steps: Steps[R]) -> R:
        return self._reading(lambda: drive(steps, self._answer))

    def hold(self, lock: str) -> Held | None:
        return self._opened.disk.hold(lock)

    def read_file(self, name: str, at: int, octets: int) -> bytes:
        return self._opened.disk.read(name, at, octets)

    def _answer(self, query: Query) -> QueryResult:
        return answer(self._opened.reader, self._statements, query)

    def _drive(self, db: apsw.Connection, steps: Steps[R]) -> R:
        return drive(steps, lambda query: answer(db, self._statements, query))

    def _kind(self, verb: Verb[P, R]) -> JobKind[P, R]:
        """The job kind of a verb; always the same one, since jobs of one kind run together."""
        key = cast("Verb[object, object]", verb)
        kind = self._kinds.get(key)
        if kind is None:
            kind = self._kinds[key] = cast("JobKind[object, object]", self._kind_of(verb))
        return cast("JobKind[P, R]", kind)

    def _kind_of(self, verb: Verb[P, R]) -> JobKind[P, R]:
        def apply(db: apsw.Connection, payloads: Sequence[P]) -> Sequence[R]:
            results = self._drive(db, verb.steps(payloads))
            if verb.ends_mail:
                self._note_leaving_files(db)
            return results

        return JobKind(apply, goes_first=verb.goes_first)

    def _read(self, query: str, bindings: tuple[Value, ...] = ()) -> list[tuple[Value, ...]]:
        """All rows of a query. Raises StoreUnavailable and DiskFailed."""
        return self._reading(lambda: self._opened.reader.execute(query, bindings).fetchall())

    def _reading(self, read: Callable[[], R]) -> R:
        try:
            return read()
        except apsw.ConnectionClosedError:
            raise StoreUnavailable("the store is closed") from None
        except apsw.Error as error:
            fault = told(error, self._opened.reader)
            if isinstance(fault, DiskFailed):
                self._opened.failed(fault)
            raise fault from (None if fault is error else error)

    # ---- content files of messages that have ended

    def _note_leaving_files(self, db: apsw.Connection) -> None:
        """Called in the writer's thread before the commit; the loop then checks what was committed."""
        if len(self._drive(db, _leaving_files())) > 0:
            self._files_leave = True

    def _after_group(self) -> None:
        if self._files_leave and (self._remover is None or self._remover.done()):
            self._files_leave = False
            self._remover = asyncio.get_running_loop().create_task(self._remove_leaving())

    async def _remove_leaving(self) -> None:
        """Delete files before their rows: a crash in between leaves a row that still leads to the
        file.
        """
        try:
            while len(self.read_now(rows("claims.leaving_files"))) > 0:
                # Read again in a group: what a plain read sees may not be durable yet.
                names = await self.change(_leaving_files)
                await self._remove_files(names)
                await self._forget_leaving(names)
        except DiskFailed as failed:
            self._opened.failed(failed)
        except (StoreUnavailable, DiskFull):
            return  # the rows remain: the next settlement or sweep tries again

    async def _remove_files(self, names: Sequence[str]) -> None:
        disk = self._opened.disk

        def remove() -> None:
            for name in names:
                disk.remove(name)
            disk.sync_folder(CONTENT_FOLDER)

        await self._opened.work.run(remove)

    async def _forget_leaving(self, names: Sequence[str]) -> None:
        def forget() -> Steps[None]:
            yield from run("claims.file_has_left", chosen=[(name,) for name in names])

        await self.change(forget)


def _leaving_files() -> Steps[list[str]]:
    return [str(name) for (name,) in (yield from rows("claims.leaving_files"))]
