"""What is made in a room has the mode of its room, whatever the umask; no link is followed there."""

import asyncio
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from secondpost.config.records import Dkim
from secondpost.protocols.tokens import Ring
from secondpost.store.sqlite import SqliteStore
from secondpost.world.ports import DiskFailed, FileUnreadable
from secondpost.world.real.clock import RealClock
from secondpost.world.real.dice import RealDice
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.files import make_folder_below, replace_in_room
from secondpost.world.real.keys import load_key_ring, make_missing_keys
from secondpost.world.real.local import stream_door
from secondpost.world.real.work import RealWork

KINDS = pytest.mark.parametrize(
    ("folder", "file", "below", "socket"),
    [
        (0o700, 0o600, 0o700, 0o600),
        (0o2700, 0o600, 0o700, 0o600),  # as made in a setgid folder of the owner's
        (0o2770, 0o660, 0o2770, 0o660),
        (0o2750, 0o640, 0o2750, 0o660),
        (0o2751, 0o640, 0o2750, 0o660),
    ],
    ids=lambda mode: f"{mode:o}",
)


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=lambda mask: f"umask {mask:03o}")
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode_of(path: str | Path) -> int:
    return stat.S_IMODE(os.lstat(path).st_mode)


def room_of(tmp_path: Path, mode: int) -> Path:
    room = tmp_path / "mail"
    room.mkdir()
    room.chmod(mode)
    return room


@pytest.mark.usefixtures("umask")
@KINDS
def test_files_folders_locks_and_sockets(
    tmp_path: Path, folder: int, file: int, below: int, socket: int
) -> None:
    room, disk = room_of(tmp_path, folder), RealDisk(str(tmp_path))
    disk.make_folder("mail/content/deep")
    disk.create("mail/content/1").close()
    held = disk.hold("mail/1.lock")
    assert held is not None
    stream_door(str(room / "a.socket")).close()
    assert mode_of(room / "content" / "1") == mode_of(room / "1.lock") == file
    assert {mode_of(room / name) & ~stat.S_ISGID for name in ("content", "content/deep")} == {
        below & ~stat.S_ISGID
    }
    if below & stat.S_ISGID != 0:
        assert mode_of(room / "content" / "deep") & stat.S_ISGID != 0
    assert mode_of(room / "a.socket") == socket


@pytest.mark.usefixtures("umask")
@KINDS
def test_a_database_with_its_log_and_index(
    tmp_path: Path, folder: int, file: int, below: int, socket: int
) -> None:
    room, failures = room_of(tmp_path, folder), list[BaseException]()

    async def opened() -> None:
        work = RealWork(1)
        disk = RealDisk(str(tmp_path))
        store = SqliteStore.open(disk, work, RealClock(), role="receive", failed=failures.append)
        names = [*room.glob("mail.db*"), *(room / "workers").iterdir()]
        assert {path.name for path in names} >= {"mail.db", "mail.db-wal", "mail.db-shm"}
        assert {mode_of(path) for path in names} == {file}
        store.close()
        work.close()

    asyncio.run(opened())
    assert failures == []


@pytest.mark.usefixtures("umask")
@KINDS
def test_what_is_replaced_whole(tmp_path: Path, folder: int, file: int, below: int, socket: int) -> None:
    room = room_of(tmp_path, folder)
    make_folder_below(str(room / "http-01"))
    for path in (room / "server.pem", room / "http-01" / "token"):
        for data in (b"old", b"new"):
            replace_in_room(str(path), data)
        assert (path.read_bytes(), mode_of(path)) == (b"new", file)
    assert mode_of(room / "http-01") == below


@pytest.mark.usefixtures("umask")
def test_a_role_that_may_not_set_the_setgid_bit_makes_folders_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a unit with RestrictSUIDSGID=."""
    room = room_of(tmp_path, 0o2750)
    chmod = os.fchmod

    def restricted(handle: int, mode: int) -> None:
        if mode & (stat.S_ISUID | stat.S_ISGID) != 0:
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        chmod(handle, mode)

    monkeypatch.setattr(os, "fchmod", restricted)
    make_folder_below(str(room / "http-01"))
    RealDisk(str(tmp_path)).make_folder(f"{room.name}/workers")
    assert {mode_of(room / name) for name in ("http-01", "workers")} == {0o2750}


@pytest.mark.usefixtures("umask")
@KINDS
def test_keys(tmp_path: Path, folder: int, file: int, below: int, socket: int) -> None:
    keys = room_of(tmp_path, folder).rename(tmp_path / "keys")
    (keys / "links").mkdir()
    (keys / "links").chmod(folder)
    made = make_missing_keys(str(tmp_path), Dkim(), RealDice())
    assert {mode_of(path) for path in made} == {file}
    load_key_ring(str(tmp_path), Ring.LINKS)


def test_rooms_themselves_take_nothing_from_the_store_s_folder(tmp_path: Path) -> None:
    """A group of the owner's, for backups say, must not reach into the rooms."""
    tmp_path.chmod(0o2750)
    disk = RealDisk(str(tmp_path))
    disk.make_folder("mail")
    held = disk.hold("service.lock")
    assert held is not None
    assert mode_of(tmp_path / "mail") & ~stat.S_ISGID == 0o700
    assert mode_of(tmp_path / "service.lock") == 0o600


def test_no_link_in_a_room_leads_out_of_it(tmp_path: Path) -> None:
    disk, elsewhere = RealDisk(str(tmp_path)), tmp_path / "keys"
    disk.make_folder("mail/content")
    elsewhere.mkdir()
    (elsewhere / "key").write_text("secret")
    (tmp_path / "mail" / "content" / "link").symlink_to(elsewhere / "key")
    (tmp_path / "mail" / "folder").symlink_to(elsewhere)
    os.mkfifo(tmp_path / "mail" / "content" / "pipe")
    for name in ("mail/content/link", "mail/folder/key"):
        with pytest.raises(FileUnreadable):
            disk.read(name, 0, 100)
        with pytest.raises(DiskFailed):
            disk.open(name)
        with pytest.raises(DiskFailed):
            disk.sync_database(name)
        with pytest.raises(DiskFailed):
            disk.hold(name)
    with pytest.raises(DiskFailed):
        disk.create("mail/folder/new")
    with pytest.raises(DiskFailed):
        disk.remove("mail/folder/key")
    with pytest.raises(FileUnreadable):
        disk.read("mail/content/pipe", 0, 100)
    disk.remove("mail/content/link")
    assert [path.name for path in elsewhere.iterdir()] == ["key"]


def test_a_database_behind_a_link_is_not_opened(tmp_path: Path) -> None:
    failures: list[BaseException] = []
    work = RealWork(1)
    store = SqliteStore.open(RealDisk(str(tmp_path)), work, RealClock(), role="receive", failed=print)
    store.close()
    (tmp_path / "mail" / "mail.db").rename(tmp_path / "other.db")
    (tmp_path / "mail" / "mail.db").symlink_to(tmp_path / "other.db")
    with pytest.raises(DiskFailed):
        SqliteStore.open_desk(RealDisk(str(tmp_path)), work, RealClock(), failed=failures.append)
    work.close()
