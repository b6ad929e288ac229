"""The real disk on a temporary folder, with injected system errors."""

import errno
import gc
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from secondpost.world.ports import DiskFailed, DiskFull
from secondpost.world.real.disk import RealDisk, RealFile


@pytest.fixture
def disk(tmp_path: Path) -> RealDisk:
    return RealDisk(str(tmp_path))


def mode_of(path: str) -> int:
    return stat.S_IMODE(os.stat(path).st_mode)


def test_what_was_written_is_read_back_from_any_offset(disk: RealDisk) -> None:
    disk.make_folder("content/1")
    file = disk.create("content/1/a")
    file.write(b"hello ")
    file.write(b"world")
    file.sync()
    file.close()
    disk.sync_folder("content/1")
    assert disk.read("content/1/a", 0, 5) == b"hello"
    assert disk.read("content/1/a", 6, 100) == b"world"
    assert disk.read("content/1/a", 50, 100) == b""
    assert disk.names("content/1") == ["a"]
    assert mode_of(disk.path("content/1/a")) == 0o600
    assert mode_of(disk.path("content")) == mode_of(disk.path("content/1")) == 0o700


def test_a_name_must_be_new(disk: RealDisk) -> None:
    disk.create("a").close()
    with pytest.raises(FileExistsError):
        disk.create("a")


def test_folders_are_made_with_the_store_itself(tmp_path: Path) -> None:
    disk = RealDisk(str(tmp_path / "var" / "store"))
    disk.make_folder("")
    disk.make_folder("")
    disk.make_folder("keys")
    assert disk.names("") == ["keys"]
    disk.create("file").close()
    with pytest.raises(DiskFailed):
        disk.make_folder("file/below")


def test_what_is_gone_already_is_removed_without_complaint(disk: RealDisk) -> None:
    disk.create("a").close()
    disk.remove("a")
    disk.remove("a")
    assert disk.names("") == []
    assert disk.names("nowhere") == []
    with pytest.raises(FileNotFoundError):
        disk.read("a", 0, 1)


@pytest.mark.parametrize("name", ["/etc/passwd", "../a", "a/../../b", "a//b", "a/.", "a\0b", "/", "a/"])
def test_no_name_leads_out_of_the_store(disk: RealDisk, name: str) -> None:
    for verb in (disk.path, disk.create, disk.remove, disk.names, disk.make_folder, disk.hold):
        with pytest.raises(ValueError, match="not a name inside the store"):
            verb(name)


def test_free_room_is_what_the_file_system_says(disk: RealDisk) -> None:
    facts = os.statvfs(disk.path(""))
    assert 0 < disk.free_octets() <= facts.f_blocks * facts.f_frsize


def fail_with(number: int) -> Callable[..., int]:
    def fail(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_as_full(disk: RealDisk, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    file = disk.create("a")
    monkeypatch.setattr(os, "write", fail_with(number))
    with pytest.raises(DiskFull):
        file.write(b"x")
    file.close()
    monkeypatch.setattr(os, "open", fail_with(number))
    with pytest.raises(DiskFull):
        disk.create("b")


def test_a_failed_sync_is_never_followed_by_one_that_succeeds(
    disk: RealDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = disk.create("a")
    file.write(b"x")
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fail_with(errno.EIO))
        patched.setattr(os, "fdatasync", fail_with(errno.EIO))
        with pytest.raises(DiskFailed):
            file.sync()
        with pytest.raises(DiskFailed):
            disk.sync_folder("")
    with pytest.raises(DiskFailed):
        file.sync()
    with pytest.raises(DiskFailed):
        file.write(b"y")
    file.close()


def test_a_file_that_is_there_can_be_synced_whoever_writes_to_it(
    disk: RealDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(FileNotFoundError):
        disk.open("log")
    Path(disk.path("log")).write_bytes(b"x")
    log = disk.open("log")
    log.sync()
    monkeypatch.setattr(os, "fdatasync", fail_with(errno.EIO))
    with pytest.raises(DiskFailed):
        log.sync()
    monkeypatch.undo()
    with pytest.raises(DiskFailed):
        log.sync()
    log.close()


LOCKER = """
import fcntl, os, sys
handle = os.open(sys.argv[1], os.O_RDWR)
try:
    fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB, 510, 0x40000002)  # where SQLite's readers lock
    print("free")
except OSError:
    print("locked")
"""


def test_a_database_is_synced_and_keeps_the_locks_that_it_has(disk: RealDisk) -> None:
    def seen_by_others() -> str:
        command = [sys.executable, "-c", LOCKER, disk.path("a.db")]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    with closing(apsw.Connection(disk.path("a.db"))) as db:
        db.execute("PRAGMA journal_mode = WAL").fetchall()
        db.execute("CREATE TABLE t (x)")
        for _ in range(2):
            disk.sync_database("a.db")
        gc.collect()
        assert seen_by_others() == "locked"
        os.close(os.open(disk.path("a.db"), os.O_RDONLY))  # what the code must not do
        assert seen_by_others() == "free"


def test_a_device_without_room_is_full() -> None:
    file = RealFile(os.open("/dev/full", os.O_WRONLY), "/dev/full")
    with pytest.raises(DiskFull):
        file.write(b"x")
    file.close()


def test_only_one_holds_a_file_and_the_next_may_when_it_is_released(disk: RealDisk) -> None:
    held = disk.hold("worker-1")
    assert held is not None
    assert disk.hold("worker-1") is None
    held.release()
    held.release()
    again = disk.hold("worker-1")
    assert again is not None
    again.release()


def test_a_lock_on_a_file_that_was_removed_keeps_nobody_out(disk: RealDisk) -> None:
    old = disk.hold("worker-1")
    assert old is not None
    disk.remove("worker-1")
    new = disk.hold("worker-1")
    assert new is not None
    new.release()
    old.release()


HOLDER = """
import sys
from secondpost.world.real.disk import RealDisk
held = RealDisk(sys.argv[1]).hold("worker-1")
print("held" if held is not None else "not held", flush=True)
sys.stdin.read()
"""


def test_a_hold_falls_with_its_process_even_when_that_is_killed(disk: RealDisk) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, disk.path("")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        assert disk.hold("worker-1") is None
        process.kill()
        process.wait(10)
    held = disk.hold("worker-1")
    assert held is not None
    held.release()
