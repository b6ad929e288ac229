"""A place on PostgreSQL: two databases, copied from templates that have the schema."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import asyncpg

from secondpost.mail.store_rooms import StoreRoom
from secondpost.store.sqlite.schema import Database
from secondpost.store.verbs.steps import Row
from secondpost.world.real.disk import RealDisk
from secondpost.world.room_disk import RoomDisk
from tests.clock import SetClock
from tests.store.left_rows import OWN_TO_AN_ENGINE, Dump, Table
from tests.store.place import Change, files_of
from tests.store.postgres.engine import PostgresEngine, Wire
from tests.store.postgres.schema import statements
from tests.store.postgres.server import Server
from tests.store.postgres.stores import PostgresNewsletterStore, PostgresStore
from tests.store.recounts import all_in_one

_COLUMNS = (
    "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
    " ORDER BY table_name, ordinal_position"
)
_CHECKS = "SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid = $1::text::regclass"


async def _refusal(db: asyncpg.Connection, change: Change) -> str:
    inner = db.transaction()
    await inner.start()
    try:
        await db.execute("SET LOCAL session_replication_role = replica")
        await db.execute(change.before)
        await db.execute("SET LOCAL session_replication_role = origin")
        await db.execute(change.statement)
    except asyncpg.RaiseError as error:
        return str(error)
    finally:
        await inner.rollback()
    return ""


def _filled(tables: Iterable[str]) -> str:
    """A query for the tables that have rows."""
    return " UNION ALL ".join(f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {table})" for table in tables)


class Templates:
    """The template databases of a server; each test gets copies."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.tables: dict[Database, dict[str, tuple[str, ...]]] = {}  # with their columns
        self._numbers = count()
        asyncio.run(self._make())

    async def _make(self) -> None:
        for database in Database:
            await self._run("postgres", f"CREATE DATABASE {database.name.lower()}")
            await self._run(database.name.lower(), *statements(database))
            async with self.server.connected(database.name.lower()) as db:
                columns: dict[str, tuple[str, ...]] = {}
                for table, column in await db.fetch(_COLUMNS):
                    columns[table] = (*columns.get(table, ()), column)
            self.tables[database] = {
                table: names for table, names in columns.items() if table not in OWN_TO_AN_ENGINE
            }

    def copy(self, database: Database) -> str:
        """Create a copy; return its name."""
        name = f"{database.name.lower()}_{next(self._numbers)}"
        Wire(self.server.folder, "postgres").run(f"CREATE DATABASE {name} TEMPLATE {database.name.lower()}")
        return name

    async def drop(self, name: str) -> None:
        """Delete a copy: a session of them would fill the memory."""
        await self._run("postgres", f"DROP DATABASE {name} WITH (FORCE)")

    async def _run(self, database: str, *texts: str) -> None:
        async with self.server.connected(database) as db:
            for text in texts:
                await db.execute(text)


@dataclass(slots=True)
class PostgresPlace:
    folder: str
    templates: Templates
    clock: SetClock = field(default_factory=SetClock)
    failures: list[BaseException] = field(default_factory=list)
    _databases: dict[Database, str] = field(default_factory=dict)
    _connections: dict[Database, asyncpg.Connection] = field(default_factory=dict)
    _closing: list[Callable[[], None]] = field(default_factory=list)

    @property
    def disk(self) -> RealDisk:
        return RealDisk(self.folder)

    @property
    def mail_disk(self) -> RoomDisk:
        """The room of mail, with the content files."""
        return RoomDisk(self.disk, StoreRoom.MAIL)

    def open(self, role: str = "deliver", busy_seconds: float = 5.0) -> PostgresStore:
        return self._opened(PostgresStore(self._engine(Database.MAIL), role))

    def open_desk(self) -> PostgresStore:
        return self._opened(PostgresStore(self._engine(Database.MAIL), None))

    def open_newsletter(self, role: str = "publish") -> PostgresNewsletterStore:
        store = PostgresNewsletterStore(self._engine(Database.NEWSLETTER), role)
        self._opened(store)
        return store

    def _opened(self, store: PostgresStore) -> PostgresStore:
        self._closing.append(store.close)
        return store

    def _engine(self, database: Database) -> PostgresEngine:
        if database not in self._databases:
            self._databases[database] = self.templates.copy(database)
        wire = Wire(Path(self.templates.server.folder), self._databases[database])
        return PostgresEngine(wire, RoomDisk(self.disk, database.room), self.clock)

    async def rows(self) -> Dump:
        found: dict[str, dict[str, Table]] = {"content": {"files": files_of(self.folder)}}
        for database in self._databases:
            tables = self.templates.tables[database]
            filled = {table for (table,) in await (await self._beside(database)).fetch(_filled(tables))}
            for table, columns in tables.items():
                rows = await self._all_of(database, table, columns) if table in filled else []
                found.setdefault(database.file_name, {})[table] = Table(columns, rows)
        return found

    async def _all_of(self, database: Database, table: str, columns: Sequence[str]) -> list[Row]:
        found = await (await self._beside(database)).fetch(f"SELECT {', '.join(columns)} FROM {table}")
        return [tuple(row) for row in found]

    async def contradictions(self) -> list[str]:
        return [
            f"{database.file_name}: {recount} {wrong}"
            for database in self._databases
            for recount, wrong in await (await self._beside(database)).fetch(
                all_in_one(database, self.clock.ms)
            )
        ]

    async def refusals(self, database: Database, changes: Sequence[Change]) -> list[str]:
        db = await self._beside(database)
        outer = db.transaction()
        await outer.start()
        for table in {change.table for change in changes}:
            checks = await db.fetch(_CHECKS, table)
            drops = ", ".join(f"DROP CONSTRAINT {check}" for (check,) in checks)
            await db.execute(f"ALTER TABLE {table} {drops}")
        try:
            return [await _refusal(db, change) for change in changes]
        finally:
            await outer.rollback()

    async def run(self, text: str) -> None:
        """Run a statement in mail.db directly."""
        await (await self._beside(Database.MAIL)).execute(text)

    async def _beside(self, database: Database) -> asyncpg.Connection:
        """A connection beside those of the stores."""
        if database not in self._connections:
            self._connections[database] = await self.templates.server.connect(self._databases[database])
        return self._connections[database]

    async def close(self) -> None:
        """Close; may be called twice."""
        while len(self._closing) > 0:
            self._closing.pop()()
        while len(self._connections) > 0:
            await self._connections.popitem()[1].close()
        while len(self._databases) > 0:
            await self.templates.drop(self._databases.popitem()[1])
