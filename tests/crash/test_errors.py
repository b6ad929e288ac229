"""The disk is full or fails: no acknowledged mail is lost, and the two are distinguished."""

import asyncio
import errno
import shutil
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from secondpost.mail.content import CONTENT_FOLDER
from secondpost.mail.delivery import State
from secondpost.store.ports import StoreFull
from secondpost.world.ports import DiskFailed, DiskFull
from simulation.dice import SimDice
from simulation.disk.crash import crash_states, write_image
from simulation.disk.disk import RecordedDisk
from tests.crash.judging import judge
from tests.crash.playing import new_store
from tests.crash.publishing import Publishing
from tests.crash.reader_judging import faults_of_image
from tests.crash.reader_judging import prepared as prepared_newsletter
from tests.crash.scenarios import LARGE_OCTETS, LONG_LOG, LONG_LOG_QUIET, PAUSING, SMALL_OCTETS, log_bounded
from tests.crash.stage import Stage

CALLS_MAX = 500


async def accept(stage: Stage) -> None:
    await stage.accept(SMALL_OCTETS, recipients=2)


async def accept_large(stage: Stage) -> None:
    await stage.accept(LARGE_OCTETS)


async def claim_and_settle(stage: Stage) -> None:
    lease = await stage.lease()
    await stage.settle(lease, await stage.claim(lease, 1), State.WAITING)
    await stage.settle(lease, await stage.claim(lease, 1), State.DELIVERED)


async def checkpoint(stage: Stage) -> None:
    with log_bounded(stage.store, LONG_LOG):
        await stage.accept(SMALL_OCTETS)
        await stage.store.checkpoint()
        with log_bounded(stage.store, LONG_LOG_QUIET):
            await stage.store.checkpoint()
        await stage.accept(SMALL_OCTETS)


ACTS: tuple[Callable[[Stage], Awaitable[None]], ...] = (accept, accept_large, claim_and_settle, checkpoint)


async def prepared(folder: Path) -> Stage:
    write_image(new_store(), folder)
    stage = Stage.on(RecordedDisk(folder))
    for _ in range(3):
        await stage.accept(SMALL_OCTETS)
    return stage


async def faults_at_the_end(stage: Stage, folder: Path) -> tuple[str, ...]:
    """What a power cut at this moment would break."""
    log = list(stage.disk.log)
    stage.disk.kill()
    return (await judge(log, len(log), stage.stories, folder)).faults


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_a_full_disk_at_any_write_refuses_and_recovers(
    folder: Path, act: Callable[[Stage], Awaitable[None]]
) -> None:
    async def played(call: int) -> bool:
        """False if there are fewer writes than that."""
        stage = await prepared(folder / f"disk-{call}")
        stage.disk.fail_at(call, errno.ENOSPC)
        try:
            await act(stage)
        except (StoreFull, DiskFull):
            assert stage.disk.struck
        struck = stage.disk.struck
        stage.disk.heal()
        assert stage.failures == []
        await accept_large(stage)
        await accept(stage)
        needed = {story.file for story in stage.stories.values()}
        assert {f"{CONTENT_FOLDER}/{name}" for name in stage.mail_disk.names(CONTENT_FOLDER)} <= needed
        assert await faults_at_the_end(stage, folder) == ()
        return struck

    calls = _until_it_does_not_strike(played)
    assert calls > 1


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_a_failing_sync_stops_everything_and_loses_nothing(
    folder: Path, act: Callable[[Stage], Awaitable[None]]
) -> None:
    async def played(call: int) -> bool:
        stage = await prepared(folder / f"disk-{call}")
        stage.disk.fail_at(call, errno.EIO)
        try:
            await act(stage)
        except DiskFailed as error:
            if (
                len(stage.failures) == 0
            ):  # the body's own files: the receiver gets the error and stops everything
                stage.failures.append(error)
                assert await faults_at_the_end(stage, folder) == ()
                return True
        if not stage.disk.struck:
            return False
        assert len(stage.failures) == 1
        assert isinstance(stage.failures[0], DiskFailed)
        if act is checkpoint:
            await _go_on_beside_a_failed_checkpoint(stage)
        else:
            before = stage.disk.position
            with pytest.raises(DiskFailed):
                await stage.accept(SMALL_OCTETS)
            assert stage.disk.position == before
            assert len(stage.failures) == 1
        assert await faults_at_the_end(stage, folder) == ()
        return True

    calls = _until_it_does_not_strike(played)
    assert calls > 1


def test_a_disk_that_fails_while_the_log_is_copied_takes_no_batch_back(folder: Path) -> None:
    begun = prepared_newsletter()

    async def played(call: int) -> bool:
        place = folder / f"disk-{call}"
        write_image(begun, place)
        disk = RecordedDisk(place)
        publishing = await Publishing.on(disk)
        await publishing.begin_freeze()

        async def others() -> None:
            with suppress(DiskFailed):
                for id in publishing.readers:
                    await publishing.leave(id)

        with log_bounded(publishing.store, PAUSING):
            disk.fail_at(call, errno.EIO)
            leaving = asyncio.create_task(others())
            await asyncio.sleep(0)  # they get the error first, and write again before the pause
            try:
                await publishing.freeze_batch()
            except DiskFailed:
                pass
            else:
                if disk.struck:
                    with pytest.raises(DiskFailed):
                        await publishing.freeze_batch()
            await leaving
        struck = disk.struck
        assert len(publishing.failures) == (1 if struck else 0), "told once"
        log = list(disk.log)
        disk.kill()
        for state in crash_states(log, len(log), dice=SimDice("cuts")):
            image = folder / "image"
            write_image(state.image, image)
            assert await faults_of_image(image, publishing, state.upto) == []
            shutil.rmtree(image)
        return struck

    assert _until_it_does_not_strike(played) > 1


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_a_start_after_a_failed_sync_builds_on_nothing_that_is_not_on_the_disk(
    folder: Path, act: Callable[[Stage], Awaitable[None]]
) -> None:
    """Linux shows unwritten pages until it needs the memory, and reports the failure only once."""

    async def played(call: int) -> bool:
        stage = await prepared(folder / f"disk-{call}")
        stage.disk.fail_at(call, errno.EIO)
        with suppress(DiskFailed):
            await act(stage)
        if not stage.disk.struck:
            return False
        await stage.die_and_come_back()
        await stage.accept(SMALL_OCTETS)
        assert await faults_at_the_end(stage, folder) == ()
        return True

    assert _until_it_does_not_strike(played) > 1


async def _go_on_beside_a_failed_checkpoint(stage: Stage) -> None:
    """The role gets the error; mail accepted until it stops is safe in the log."""
    with log_bounded(stage.store, LONG_LOG), suppress(DiskFailed):
        await stage.accept(SMALL_OCTETS)
        await stage.store.checkpoint()
        await stage.store.checkpoint()
        await stage.accept(SMALL_OCTETS)


def _until_it_does_not_strike(played: Callable[[int], Awaitable[bool]]) -> int:
    async def all_calls() -> int:
        for call in range(1, CALLS_MAX):
            if not await played(call):
                return call
        raise AssertionError(f"more than {CALLS_MAX} calls")

    return asyncio.run(all_calls())
