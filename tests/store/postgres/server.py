"""A PostgreSQL server from Debian's packages, in its own folder and only on a Unix socket."""

import os
import pwd
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncpg

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
USER = "postgres"  # the server does not run as root
START_SECONDS_MAX = 30
# Durability is not needed.
SETTINGS = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=60",
    "max_wal_size=64MB",
)


class Server:
    """Started by the constructor; `stop` ends it and removes its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._data = folder / "data"
        folder.mkdir(mode=0o755, exist_ok=True)
        if os.geteuid() == 0:
            owner = pwd.getpwnam(USER)
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        self._run(
            PROGRAMS / "initdb", "-D", self._data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "-N"
        )
        options = " ".join(f"-c {setting}" for setting in SETTINGS)
        self._run(
            *(PROGRAMS / "pg_ctl", "-D", self._data, "-w", "-t", START_SECONDS_MAX, "-l", folder / "log"),
            *("-o", f"-k {folder} -c listen_addresses='' {options}", "start"),
        )

    async def connect(self, database: str) -> asyncpg.Connection:
        return await asyncpg.connect(host=str(self.folder), user=USER, database=database)

    @asynccontextmanager
    async def connected(self, database: str) -> AsyncIterator[asyncpg.Connection]:
        db = await self.connect(database)
        try:
            yield db
        finally:
            await db.close()

    def stop(self) -> None:
        self._run(PROGRAMS / "pg_ctl", "-D", self._data, "-m", "immediate", "stop")
        with suppress(FileNotFoundError):
            shutil.rmtree(self.folder)

    def _run(self, *command: object) -> None:
        subprocess.run(
            [str(part) for part in command],
            check=True,
            stdout=subprocess.DEVNULL,
            user=USER if os.geteuid() == 0 else None,
            cwd=self.folder,
            timeout=2 * START_SECONDS_MAX,
        )
