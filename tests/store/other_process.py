"""A second process that works in the same store, until it is killed or has done its part."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import apsw

from secondpost.mail.delivery import State
from secondpost.mail.envelope import Lane
from secondpost.mail.store_rooms import StoreRoom
from secondpost.store.ports import Settlement
from secondpost.store.sqlite import SqliteStore
from secondpost.store.sqlite.schema import Database
from secondpost.world.real.clock import RealClock
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.work import RealWork
from secondpost.world.room_disk import RoomDisk


@contextmanager
def other_process(part: str, folder: str, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """A process that is killed at the end if it still runs."""
    command = [sys.executable, "-m", "tests.store.other_process", part, folder, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def said(process: "subprocess.Popen[str]") -> str:
    """The next line of the process's output."""
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


async def claim_and_wait(folder: str) -> None:
    """Claim everything as a worker, leave a file without a row, and wait to be killed."""
    disk, clock = RealDisk(folder), RealClock()
    store = SqliteStore.open(disk, RealWork(1), clock, role="deliver", failed=print)
    lease = await store.lease(Lane.RELAY, "unsorted")
    assert lease is not None
    claimed = await store.claim(lease, clock.now_ms() + 10**12, 1000)
    RoomDisk(disk, StoreRoom.MAIL).create(f"content/{store.worker}-nameless").close()
    print(store.worker, len(claimed), flush=True)
    sys.stdin.read()


async def deliver_until_told(folder: str) -> None:
    """Claim and settle as fast as possible; at the end of input print the number delivered."""
    clock, work = RealClock(), RealWork(1)
    store = SqliteStore.open(RealDisk(folder), work, clock, role="deliver", failed=print)
    lease = await store.lease(Lane.RELAY, "unsorted")
    assert lease is not None
    end = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    print("ready", flush=True)
    delivered = 0
    while True:
        was_told = end.done()
        claimed = await store.claim(lease, clock.now_ms() + 10**12, 20)
        done = [Settlement(one.id, State.DELIVERED, clock.now_ms()) for one in claimed]
        delivered += sum(await asyncio.gather(*(store.settle(lease, [one]) for one in done)))
        if len(claimed) == 0:
            if was_told:
                break
            await asyncio.sleep(0.001)
    await store.give_back(lease)
    store.close()
    work.close()
    print(delivered, flush=True)


def lock_until_told(folder: str) -> None:
    """Hold the write lock."""
    db = apsw.Connection(RealDisk(folder).path(Database.MAIL.path_name))
    db.execute("BEGIN IMMEDIATE")
    print("locked", flush=True)
    sys.stdin.readline()
    db.execute("ROLLBACK")
    db.close()


def main() -> None:
    part, folder = sys.argv[1:3]
    if part == "lock":
        lock_until_told(folder)
    else:
        asyncio.run({"claim": claim_and_wait, "deliver": deliver_until_told}[part](folder))


if __name__ == "__main__":
    main()
