"""New databases for tests, copied from one whose schema was made once in this process.

Making a schema takes a hundred statements, which is most of the time that opening a new store takes.
Tests of migrations, of opening and of crashes make their own.
"""

import os
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from secondpost.store.sqlite import schema
from secondpost.store.sqlite.connection import open_writer
from secondpost.store.sqlite.schema import Database
from secondpost.world.real.disk import RealDisk

FILE_MODE = 0o600


def lay_new(folder: str, database: Database) -> None:
    """Put a database without rows into a store, unless it has one."""
    path = Path(folder) / database.path_name
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(FILE_MODE)
    newest = max(migration.number for migration in schema.migrations(database))
    path.write_bytes(_new(database, newest))


@cache
def _new(database: Database, _newest: int) -> bytes:
    """One for each newest schema: a test may take the program back to an older one."""
    with TemporaryDirectory() as folder:
        db = open_writer(RealDisk(folder), database.file_name, create=True, exclusive=False, busy_seconds=5.0)
        with db:
            schema.migrate(db, database, 0)
        db.close()
        return Path(os.path.join(folder, database.file_name)).read_bytes()
