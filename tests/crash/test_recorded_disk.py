"""The recorded disk under plain SQLite: it detects a bad setting and accepts a good one."""

import errno
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from secondpost.world.ports import DiskFailed, DiskFull
from simulation.dice import SimDice
from simulation.disk.crash import crash_states, write_image
from simulation.disk.disk import RecordedDisk
from simulation.disk.recording import SyncTarget

ROWS = 12
BLOB = b"x" * 2500


def open_database(disk: RecordedDisk, synchronous: str = "full") -> apsw.Connection:
    connection = apsw.Connection(disk.path("test.db"), vfs=disk.vfs)
    connection.pragma("journal_mode", "wal")
    connection.pragma("synchronous", synchronous)
    connection.pragma("wal_autocheckpoint", 0)
    connection.execute("CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, data BLOB)")
    return connection


def insert(connection: apsw.Connection, id: int) -> None:
    connection.execute("INSERT INTO rows VALUES (?, ?)", (id, BLOB))


def rows(path: str) -> set[int]:
    """The rows of the database. Raises apsw.Error if it is damaged."""
    with closing(apsw.Connection(path)) as connection:
        if connection.execute("PRAGMA integrity_check").get != "ok":
            raise apsw.CorruptError("integrity_check")
        return {id for id, data in connection.execute("SELECT id, data FROM rows") if data == BLOB}


def states_with_a_loss(folder: Path, prepare: Callable[[RecordedDisk], str]) -> tuple[int, int]:
    """(crash states, those in which a committed row is missing or the database is damaged)."""
    disk = RecordedDisk(folder / "disk")
    synchronous = prepare(disk)
    promised: list[tuple[int, int]] = []
    with closing(open_database(disk, synchronous)) as connection:
        for id in range(ROWS):
            insert(connection, id)
            promised.append((disk.position, id))
            if id % 5 == 4:
                connection.pragma("wal_checkpoint")
    count = losses = 0
    for state in crash_states(disk.log, promised[0][0], dice=SimDice("states")):
        count += 1
        image = folder / f"image-{count}"
        write_image(state.image, image)
        try:
            found = rows(str(image / "test.db"))
        except apsw.Error:
            found = set()
        if any(at <= state.upto and id not in found for at, id in promised):
            losses += 1
    return count, losses


def test_wal_with_full_syncs_loses_no_committed_row(folder: Path) -> None:
    count, losses = states_with_a_loss(folder, lambda disk: "full")
    assert count > 500
    assert losses == 0


def test_wal_with_normal_syncs_is_found_out(folder: Path) -> None:
    _, losses = states_with_a_loss(folder, lambda disk: "normal")
    assert losses > 0


@pytest.mark.parametrize("kind", [SyncTarget.WAL, SyncTarget.DATABASE])
def test_a_sync_left_out_is_found_out(folder: Path, kind: SyncTarget) -> None:
    def prepare(disk: RecordedDisk) -> str:
        disk.drop_sync(kind)
        return "full"

    _, losses = states_with_a_loss(folder, prepare)
    assert losses > 0


def test_two_connections_share_the_log(folder: Path) -> None:
    disk = RecordedDisk(folder / "disk")
    with closing(open_database(disk)) as one, closing(open_database(disk.process())) as other:
        insert(one, 1)
        assert other.execute("SELECT id FROM rows").get == 1
        one.execute("BEGIN IMMEDIATE")
        with pytest.raises(apsw.BusyError):
            other.execute("BEGIN IMMEDIATE")


def test_a_killed_process_leaves_its_transaction_and_its_locks_behind(folder: Path) -> None:
    disk = RecordedDisk(folder / "disk")
    victim = disk.process()
    connection = open_database(victim)
    insert(connection, 1)
    connection.execute("BEGIN IMMEDIATE")
    insert(connection, 2)
    assert victim.hold("lock") is not None
    assert disk.hold("lock") is None

    victim.kill()

    assert disk.hold("lock") is not None
    with pytest.raises(DiskFailed):
        victim.create("late")
    with closing(open_database(disk)) as survivor:
        assert survivor.execute("SELECT group_concat(id) FROM rows").get == "1"


def test_after_a_power_cut_only_what_was_synced_is_certain(folder: Path) -> None:
    for seed in range(20):
        disk = RecordedDisk(folder / str(seed), whole_log=False)
        insert(open_database(disk), 1)
        disk.make_folder("content")
        file = disk.create("content/1")
        file.write(b"unsynced")
        late = disk.process()

        after = disk.crash(SimDice(str(seed)))

        for old in (disk, late):
            with pytest.raises(DiskFailed):
                old.remove("content/1")
        with pytest.raises(DiskFailed):
            file.write(b"more")
        with closing(open_database(after)) as connection:
            assert connection.execute("SELECT id FROM rows").get == 1
        assert after.names("content") in ([], ["1"])


def test_a_full_disk_says_so_until_there_is_room(folder: Path) -> None:
    disk = RecordedDisk(folder / "disk")
    with closing(open_database(disk)) as connection:
        disk.fail_at(1, errno.ENOSPC)
        with pytest.raises(apsw.FullError):
            insert(connection, 1)
        with pytest.raises(DiskFull):
            disk.create("file")
        assert disk.free_octets() == 0
        disk.heal()
        insert(connection, 2)
        disk.create("file").write(b"data")
        assert connection.execute("SELECT group_concat(id) FROM rows").get == "2"


def test_a_failing_sync_fails_once_as_on_linux(folder: Path) -> None:
    disk = RecordedDisk(folder / "disk")
    with closing(open_database(disk)) as connection:
        disk.fail_at(1, errno.EIO)
        with pytest.raises(apsw.IOError):
            insert(connection, 1)
        file = disk.create("file")
        file.sync()
        disk.fail_at(2, errno.EIO)
        file.sync()
        with pytest.raises(DiskFailed):
            disk.sync_folder("")
