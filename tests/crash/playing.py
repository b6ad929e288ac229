"""Plays a scenario on a recorded disk and judges every crash state of it."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from secondpost.mail.content import CONTENT_FOLDER
from secondpost.mail.store_rooms import StoreRoom
from simulation.disk.crash import Depth, Model, write_image
from simulation.disk.disk import RecordedDisk
from simulation.disk.operations import Image
from tests.crash.judging import Verdict, judge
from tests.crash.sabotage import Sabotage, nothing
from tests.crash.stage import Stage

QUICK = Depth(tears=2, subsets=1, stride=5)
Scenario = Callable[[Stage], Awaitable[None]]


@cache
def new_store() -> Image:
    """The image of a store after creation, so that scenarios do not include the schema."""
    with TemporaryDirectory(dir="/dev/shm") as path:
        disk = RecordedDisk(Path(path) / "disk")
        Stage.on(disk).store.close()
        return {
            str(file.relative_to(disk.path(""))): file.read_bytes()
            for file in Path(disk.path("")).rglob("*")
            if file.is_file() and not file.name.endswith("-shm")
        }


def play(
    scenario: Scenario,
    folder: Path,
    *,
    model: Model = Model.POSIX,
    sabotage: Sabotage = nothing,
    depth: Depth = QUICK,
    faults_max: int = 10,
) -> Verdict:
    async def played() -> Verdict:
        write_image(new_store(), folder / "disk")
        (folder / "disk" / StoreRoom.MAIL.folder / CONTENT_FOLDER).mkdir(exist_ok=True)
        disk = RecordedDisk(folder / "disk", model)
        with sabotage(disk):
            stage = Stage.on(disk)
            await scenario(stage)
        log = list(disk.log)
        stage.disk.kill()
        assert stage.failures == []
        return await judge(
            log, disk.first, stage.stories, folder, model=model, depth=depth, faults_max=faults_max
        )

    return asyncio.run(played())
