"""A place on PostgreSQL: two databases, made from templates that have the schema."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import asyncpg

from secondpost.store.sqlite.schema import Database
from secondpost.world.real.disk import RealDisk
from tests.clock import SetClock
from tests.store.postgres.engine import PostgresEngine, Wire
from tests.store.postgres.schema import statements
from tests.store.postgres.server import Server
from tests.store.postgres.stores import PostgresNewsletterStore, PostgresStore


class Templates:
    """The databases of a server, each with the schema; copies are made of them for every test."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._numbers = count()
        asyncio.run(self._make())

    async def _make(self) -> None:
        for database in Database:
            await self._run("postgres", f"CREATE DATABASE {database.name.lower()}")
            await self._run(database.name.lower(), *statements(database))

    def copy(self, database: Database) -> str:
        """The name of a new one."""
        name = f"{database.name.lower()}_{next(self._numbers)}"
        Wire(self.server.folder, "postgres").run(f"CREATE DATABASE {name} TEMPLATE {database.name.lower()}")
        return name

    async def _run(self, database: str, *texts: str) -> None:
        db = await asyncpg.connect(host=str(self.server.folder), user="postgres", database=database)
        try:
            for text in texts:
                await db.execute(text)
        finally:
            await db.close()


@dataclass(slots=True)
class PostgresPlace:
    folder: str
    templates: Templates
    clock: SetClock = field(default_factory=SetClock)
    failures: list[BaseException] = field(default_factory=list)
    _databases: dict[Database, str] = field(default_factory=dict)
    _closing: list[Callable[[], None]] = field(default_factory=list)

    @property
    def disk(self) -> RealDisk:
        return RealDisk(self.folder)

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
        return PostgresEngine(wire, self.disk, self.clock)

    async def close(self) -> None:
        """Twice does no harm."""
        while len(self._closing) > 0:
            self._closing.pop()()
        await asyncio.sleep(0)
