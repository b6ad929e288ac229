"""What the contract needs of an adapter: a place where stores can be opened repeatedly."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

import apsw

from secondpost.mail.queue_id import QueueId
from secondpost.mail.store_rooms import StoreRoom
from secondpost.store.advisory_ports import AdvisoriesKeeping
from secondpost.store.alarm_ports import AlarmsKeeping
from secondpost.store.arrival_ports import ArrivalsKeeping
from secondpost.store.copy_ports import CopyDesk
from secondpost.store.newsletter_store_ports import NewsletterStore
from secondpost.store.owner_ports import Desk
from secondpost.store.ports import Claims, Intake, Keeping
from secondpost.store.reach_ports import ReachKeeping
from secondpost.store.sqlite import SqliteNewsletterStore, SqliteStore
from secondpost.store.sqlite.engine import SqliteEngine
from secondpost.store.sqlite.log_bounds import LogBounds
from secondpost.store.sqlite.schema import Database
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.work import RealWork
from secondpost.world.room_disk import RoomDisk
from tests.clock import SetClock
from tests.new_store import lay_new
from tests.store.left_rows import OWN_TO_AN_ENGINE, Dump, Table
from tests.store.recounts import all_in_one

T = TypeVar("T")

_TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
SECRET = bytes(range(32))  # the key of hashes, the same on every engine and in every test


def files_of(folder: str) -> Table:
    """The content files as a table."""
    files = sorted((Path(folder) / StoreRoom.MAIL.folder).glob("content/*"))
    return Table(("name", "size"), [(file.name, file.stat().st_size) for file in files])


@dataclass(frozen=True, slots=True)
class Change:
    """A statement, and another one that runs before it with triggers disabled."""

    table: str
    before: str
    statement: str


def _refusal(db: apsw.Connection, change: Change) -> str:
    db.execute("BEGIN")
    try:
        db.config(apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 0)
        db.execute(change.before)
        db.config(apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 1)
        db.execute(change.statement)
    except apsw.ConstraintError as error:
        return str(error)
    finally:
        db.execute("ROLLBACK")
    return ""


def there(found: T | None) -> T:
    """The result of a read, which must not be None."""
    assert found is not None
    return found


def engine_of(store: SqliteStore) -> SqliteEngine:
    assert isinstance(store._engine, SqliteEngine)
    return store._engine


def database_of(store: SqliteStore) -> apsw.Connection:
    """The writer's connection, while nothing is being written."""
    return engine_of(store).opened.db


class Store(
    Intake,
    Claims,
    Desk,
    Keeping,
    AlarmsKeeping,
    ArrivalsKeeping,
    AdvisoriesKeeping,
    ReachKeeping,
    CopyDesk,
    Protocol,
):
    """All ports of one store."""


async def content_in(store: Desk, id: QueueId, octets: int = 64 * 1024) -> bytes:
    """Prefix and content, read in pieces of so many octets."""
    return b"".join([piece async for piece in store.content_pieces(id, octets)])


class Place(Protocol):
    """One adapter's place; another adapter adds one more of these to conftest.py."""

    clock: SetClock
    failures: list[BaseException]

    def open(self, role: str = "deliver", busy_seconds: float = 5.0) -> Store: ...

    def open_desk(self) -> Store: ...

    def open_newsletter(self, role: str = "publish") -> NewsletterStore: ...

    @property
    def disk(self) -> RealDisk: ...

    @property
    def mail_disk(self) -> RoomDisk:
        """The room of mail, with the content files."""
        ...

    async def rows(self) -> Dump:
        """All rows of all tables, after background work of verbs has ended."""
        ...

    async def contradictions(self) -> list[str]:
        """The recounts that differ from the triggers' values."""
        ...

    async def refusals(self, database: Database, changes: Sequence[Change]) -> list[str]:
        """The triggers' error for each change, "" if it is permitted.

        Column checks are disabled, and every change is rolled back.
        """
        ...

    async def close(self) -> None:
        """Close; may be called twice."""
        ...


@dataclass(slots=True)
class SqlitePlace:
    folder: str
    clock: SetClock = field(default_factory=SetClock)
    failures: list[BaseException] = field(default_factory=list)
    log_bounds: LogBounds = field(default_factory=LogBounds)  # of opened stores
    is_laid: bool = True  # a copy of a new database; False: the program makes it, with its folder and owner
    _stores: list[SqliteStore] = field(default_factory=list)
    _closing: list[Callable[[], None]] = field(default_factory=list)

    @property
    def disk(self) -> RealDisk:
        return RealDisk(self.folder)

    @property
    def mail_disk(self) -> RoomDisk:
        """The room of mail, with the content files."""
        return RoomDisk(self.disk, StoreRoom.MAIL)

    def open(self, role: str = "deliver", busy_seconds: float = 5.0) -> SqliteStore:
        if self.is_laid:
            lay_new(self.folder, Database.MAIL)
        store = SqliteStore.open(
            self.disk,
            self._work(),
            self.clock,
            role=role,
            failed=self.failures.append,
            busy_seconds=busy_seconds,
            log_bounds=self.log_bounds,
        )
        return self._opened(store)

    def open_desk(self) -> SqliteStore:
        store = SqliteStore.open_desk(
            self.disk, self._work(), self.clock, failed=self.failures.append, busy_seconds=5.0
        )
        return self._opened(store)

    def open_newsletter(self, role: str = "publish") -> SqliteNewsletterStore:
        if self.is_laid:
            lay_new(self.folder, Database.NEWSLETTER)
        store = SqliteNewsletterStore.open(
            self.disk,
            self._work(),
            self.clock,
            role=role,
            failed=self.failures.append,
            busy_seconds=5.0,
            log_bounds=self.log_bounds,
        )
        database_of(store).execute("UPDATE secret SET data = ? WHERE name = 'suppression'", (SECRET,))
        self._opened(store)
        return store

    def _opened(self, store: SqliteStore) -> SqliteStore:
        self._stores.append(store)
        self._closing.append(store.close)
        return store

    async def rows(self) -> Dump:
        for store in self._stores:
            remover = engine_of(store).leaving.remover
            if remover is not None:
                await remover
        found: dict[str, dict[str, Table]] = {"content": {"files": files_of(self.folder)}}
        for database, db in self._databases():
            for (name,) in db.execute(_TABLES).fetchall():
                columns = tuple(str(column[1]) for column in db.execute(f"PRAGMA table_info({name})"))
                if name not in OWN_TO_AN_ENGINE:
                    rows = db.execute(f"SELECT {', '.join(columns)} FROM {name}").fetchall()
                    found.setdefault(database.file_name, {})[str(name)] = Table(columns, rows)
        return found

    async def contradictions(self) -> list[str]:
        return [
            f"{database.file_name}: {recount} {wrong}"
            for database, db in self._databases()
            for recount, wrong in db.execute(all_in_one(database, self.clock.ms)).fetchall()
        ]

    async def refusals(self, database: Database, changes: Sequence[Change]) -> list[str]:
        db = apsw.Connection(str(Path(self.folder) / database.path_name))
        try:
            db.execute("PRAGMA ignore_check_constraints = ON")
            return [_refusal(db, change) for change in changes]
        finally:
            db.close()

    def _databases(self) -> Iterator[tuple[Database, apsw.Connection]]:
        """The existing databases, opened for reading."""
        for database in Database:
            path = Path(self.folder) / database.path_name
            if path.exists():
                db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
                try:
                    yield database, db
                finally:
                    db.close()

    def _work(self) -> RealWork:
        work = RealWork(1)
        self._closing.append(work.close)
        return work

    async def close(self) -> None:
        """Close the stores, then their threads. May be called twice."""
        while len(self._closing) > 0:
            self._closing.pop()()
        await asyncio.sleep(0)
