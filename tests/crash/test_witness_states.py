"""A power cut at any moment makes no copy of a store, and a copy of it is never missed."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

from secondpost.mail.witness import MARK
from simulation.dice import SimDice
from simulation.disk.crash import Depth, crash_states, write_image
from simulation.disk.disk import RecordedDisk
from simulation.disk.operations import Image
from tests.clock import SetClock
from tests.crash.stage import open_store

EPOCHS = 3
DEPTH = Depth(tears=1, subsets=1, stride=2)
DATABASE = "mail/mail.db"
STATES_MIN = 100


async def is_held(folder: Path) -> bool:
    disk = RecordedDisk(folder, whole_log=False)
    store = open_store(disk, lambda error: None, SetClock())
    try:
        return await store.copy_hold() is not None
    finally:
        disk.kill()


async def states(folder: Path) -> list[Image]:
    """All crash states of a store that is made, opened again, and whose epoch rises meanwhile."""
    disk = RecordedDisk(folder)
    for _ in range(2):
        store = open_store(disk, lambda error: None, SetClock())
        for _ in range(EPOCHS):
            await store.advance_epoch()
        store.close()
    log = list(disk.log)
    disk.kill()
    found: Iterator[Image] = (
        state.image for state in crash_states(log, disk.first, dice=SimDice("cuts"), depth=DEPTH)
    )
    return [image for image in found if DATABASE in image]


def test_no_crash_makes_a_copy(folder: Path) -> None:
    images = asyncio.run(states(folder / "disk"))
    assert len(images) >= STATES_MIN
    for number, image in enumerate(images):
        write_image(image, folder / "image")
        assert not asyncio.run(is_held(folder / "image")), f"crash state {number} of {len(images)}"
        shutil.rmtree(folder / "image")


def test_an_older_database_is_found_out_whatever_crash_came_before_it(folder: Path) -> None:
    """Its file is written over in place, so that only the epoch shows it."""
    images = asyncio.run(states(folder / "disk"))
    older = next(image for image in images if any(f"{MARK}2" in name for name in image))
    later = [image for image in images if any(f"{MARK}{2 * EPOCHS}" in name for name in image)]
    assert len(later) >= STATES_MIN // 20
    for image in later:
        put_back = {
            name: data for name, data in image.items() if not name.startswith(DATABASE) or MARK in name
        }
        put_back |= {name: data for name, data in older.items() if name in (DATABASE, f"{DATABASE}-wal")}
        write_image(put_back, folder / "image")
        assert asyncio.run(is_held(folder / "image"))
        shutil.rmtree(folder / "image")
