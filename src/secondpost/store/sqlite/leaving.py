"""Removes the content files of messages that have ended.

The file goes before its row: after a crash in between, the row still leads to the file.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from secondpost.store.ports import StoreUnavailable
from secondpost.store.verbs.engine import Engine
from secondpost.store.verbs.steps import Steps, rows, run
from secondpost.store.verbs.workers import WORKERS_FOLDER
from secondpost.world.ports import DiskFailed, DiskFull

CONTENT_HOLD = f"{WORKERS_FOLDER}/content.lock"  # held by a process that removes files, or by a snapshot


class LeavingFiles:
    def __init__(self, engine: Engine, failed: Callable[[BaseException], None]) -> None:
        self._engine = engine
        self._failed = failed
        self.remover: asyncio.Task[None] | None = None
        self.are_there = False  # set in the writer's thread before the commit, read in the loop after it
        self._one_at_a_time = asyncio.Lock()

    def begin(self) -> None:
        """Start a task that removes the files, if a committed verb may have ended messages."""
        if self.are_there and (self.remover is None or self.remover.done()):
            self.are_there = False
            self.remover = asyncio.get_running_loop().create_task(self.remove())

    async def remove(self) -> None:
        """Returns when the files are gone or cannot be removed now. A call during another one waits
        for it: the other one has the lock, and this one would return with the files still there.
        """
        async with self._one_at_a_time:
            await self._remove()

    async def _remove(self) -> None:
        try:
            while len(await self._engine.read(leaving_files())) > 0:
                # Read again in a group: what a plain read sees may not be durable yet.
                names = await self._engine.change(leaving_files)
                # Their messages had ended before the lock was taken: a snapshot that takes it from
                # now on does not need them.
                held = self._engine.hold(CONTENT_HOLD)
                if held is None:
                    return  # the rows remain: the next settlement or sweep tries again
                try:
                    await self._engine.remove_files(names)
                finally:
                    held.release()
                await self._engine.change(partial(_forget, names))
        except DiskFailed as failed:
            self._failed(failed)
        except (StoreUnavailable, DiskFull):
            return  # as above


def leaving_files() -> Steps[list[str]]:
    return [str(name) for (name,) in (yield from rows("claims.leaving_files"))]


def _forget(names: list[str]) -> Steps[None]:
    yield from run("claims.file_has_left", chosen=[(name,) for name in names])
