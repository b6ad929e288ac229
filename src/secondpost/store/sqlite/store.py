"""Open the store: the database and its schema, the worker's number and lock, the writer."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar, TypeVar

import apsw

from secondpost.mail.content import CONTENT_FOLDER
from secondpost.store.ports import StoreFull, StoreRefused
from secondpost.store.sqlite import schema
from secondpost.store.sqlite.connection import (
    check_version,
    open_log,
    open_reader,
    open_writer,
    patiently,
    port_error,
)
from secondpost.store.sqlite.engine import SqliteEngine
from secondpost.store.sqlite.group import unheard
from secondpost.store.sqlite.log_bounds import LogBounds
from secondpost.store.sqlite.opened import Opened
from secondpost.store.sqlite.schema import Database
from secondpost.store.sqlite.statements import QUERIES, Statements, run_on
from secondpost.store.sqlite.witness_file import read_witness, write_witness
from secondpost.store.verbs.mail_store import MailVerbs
from secondpost.store.verbs.witness import judged
from secondpost.store.verbs.workers import WORKERS_FOLDER, Worker, enter
from secondpost.world.ports import Clock, Disk, DiskFull, Work
from secondpost.world.room_disk import RoomDisk

S = TypeVar("S", bound="SqliteStore")
T = TypeVar("T")
BUSY_SECONDS = 30.0
LINE = "store"
USUAL_LOG_BOUNDS = LogBounds()


class SqliteStore(MailVerbs):
    """Intake, Claims, Desk and Keeping of store/ports on one database.

    One per process and database; used from one loop, and never across a fork.
    """

    database: ClassVar[Database] = Database.MAIL

    @classmethod
    def open(
        cls: type[S],
        disk: Disk,
        work: Work,
        clock: Clock,
        *,
        role: str,
        failed: Callable[[BaseException], None],
        in_line: bool = False,
        busy_seconds: float = BUSY_SECONDS,
        log_bounds: LogBounds = USUAL_LOG_BOUNDS,
        took: Callable[[float], None] = unheard,
        migrates: bool = True,
    ) -> S:
        """Open as a worker of the service, creating the database in its room. Blocks.

        `disk` is that of the whole store. A database of an older schema is migrated if `migrates`, else
        refused: beside a running service it is never migrated, and not without keeping a copy. With
        `in_line`, work runs in the loop's own thread, no other process may open the database, and reads
        use the writer's connection. Raises StoreRefused, StoreUnavailable, StoreFull, DiskFull, DiskFailed.
        `took` gets the seconds of each group of writes, from its beginning until it is durable.
        """
        room = RoomDisk(disk, cls.database.room)
        room.make_folder(CONTENT_FOLDER)
        room.make_folder(WORKERS_FOLDER)
        _make_file(room, cls.database.file_name)
        opening = _Opening(room, cls.database, in_line, 0.0 if in_line else busy_seconds, log_bounds)
        db = opening.connection(create=True)
        begun = opening.trying(db, lambda: _begin(db, cls.database, room, clock, role, migrates))
        opened = opening.opened(db, work, clock, failed, begun.worker)  # what was begun is durable now
        opening.witnessed(opened, begun.epoch)
        engine = SqliteEngine(opened)
        engine.writer.took = took
        return cls(engine)

    @classmethod
    def open_desk(
        cls: type[S],
        disk: Disk,
        work: Work,
        clock: Clock,
        *,
        failed: Callable[[BaseException], None],
        in_line: bool = False,
        busy_seconds: float = BUSY_SECONDS,
    ) -> S:
        """Open for a command: the database must exist, and no worker is registered. Raises as
        `open` does.
        """
        room = RoomDisk(disk, cls.database.room)
        opening = _Opening(room, cls.database, in_line, 0.0 if in_line else busy_seconds)
        db = opening.connection(create=False)
        opening.trying(db, lambda: schema.check(db, cls.database))
        return cls(SqliteEngine(opening.opened(db, work, clock, failed, None)))


@dataclass(frozen=True, slots=True)
class _Opening:
    disk: Disk
    database: Database
    in_line: bool
    busy_seconds: float
    log_bounds: LogBounds = USUAL_LOG_BOUNDS

    @property
    def path_name(self) -> str:
        return self.database.file_name

    def connection(self, *, create: bool) -> apsw.Connection:
        check_version()
        path = self.disk.path(self.path_name)
        try:
            return open_writer(
                self.disk,
                self.path_name,
                create=create,
                exclusive=self.in_line,
                busy_seconds=self.busy_seconds,
            )
        except apsw.CantOpenError:
            with suppress(FileNotFoundError, PermissionError):
                # Safe: none of our connections has it open, so closing drops no lock.
                self.disk.open(self.path_name).close()
            raise StoreRefused(
                f"there is no store at {path}, or you may not open it; "
                "start the service once, or become its owner"
            ) from None
        except (apsw.ReadOnlyError, apsw.PermissionsError):
            raise StoreRefused(f"you may not write to {path}; become its owner") from None
        except apsw.NotADBError:
            raise StoreRefused(f"{path} is not a database; move it away, or restore a snapshot") from None
        except apsw.FullError as error:
            raise StoreFull(str(error)) from None  # the log's index needs a little room

    def trying(self, db: apsw.Connection, step: Callable[[], T]) -> T:
        try:
            return patiently(step, self.busy_seconds)
        except BaseException as error:
            if isinstance(error, apsw.Error):
                fault = port_error(error, db)
                db.close()
                raise fault from error
            db.close()
            raise

    def witnessed(self, opened: Opened, epoch: int) -> None:
        """Write the epoch beside the database, if there is room for it: mail must be able to leave
        a full disk, and the file may be one epoch behind. Raises DiskFailed.
        """
        try:
            write_witness(self.disk, self.path_name, epoch)
        except DiskFull:
            return
        except BaseException:
            SqliteEngine(opened).close()
            raise

    def opened(
        self,
        db: apsw.Connection,
        work: Work,
        clock: Clock,
        failed: Callable[[BaseException], None],
        worker: Worker | None,
    ) -> Opened:
        log = self.trying(db, lambda: open_log(self.disk, self.path_name))
        return Opened(
            db=db,
            reader=db if self.in_line else self.trying(db, lambda: open_reader(self.disk, self.path_name)),
            log=log,
            line=work.line(LINE),
            disk=self.disk,
            work=work,
            clock=clock,
            failed=failed,
            path_name=self.path_name,
            worker=worker,
            in_line=self.in_line,
            busy_seconds=self.busy_seconds,
            log_bounds=self.log_bounds,
        )


@dataclass(frozen=True, slots=True)
class _Begun:
    worker: Worker
    epoch: int  # that the witness file must have


def _begin(
    db: apsw.Connection, database: Database, disk: Disk, clock: Clock, role: str, migrates: bool
) -> _Begun:
    db.execute("BEGIN IMMEDIATE")
    try:
        is_new, now_ms = schema.version(db) == 0, clock.now_ms()
        if not (migrates or is_new):
            schema.check(db, database)
        schema.migrate(db, database, now_ms)
        statements = Statements(QUERIES)
        # Read with the lock held: the epoch rises in the database first, and then in the file.
        file, identity = read_witness(disk, database.file_name), disk.identity(database.file_name)
        epoch = run_on(db, statements, judged(file, identity, now_ms, is_new=is_new)).epoch
        worker = run_on(db, statements, enter(disk.hold, role, database.workers, now_ms))
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return _Begun(worker, epoch)


def _make_file(disk: Disk, name: str) -> None:
    """Create the file ourselves: SQLite would make it readable for others, and its log copies the
    mode.
    """
    if disk.vfs is None:
        try:
            disk.create(name).close()
        except FileExistsError:
            return
