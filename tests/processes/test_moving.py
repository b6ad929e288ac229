"""A store of an older version, all in one folder, is moved into its rooms, at whatever moment it dies.

The store comes from processes that were killed: its log holds mail that was acknowledged and is
nowhere else.
"""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from secondpost.config.reading import read_config
from secondpost.config.records import Config, Dkim
from secondpost.mail.content import InFile
from secondpost.mail.delivery import State
from secondpost.processes.instance import SecondInstance, hold_service
from secondpost.processes.moving import lies_flat, move_flat_store, settle_in
from secondpost.processes.user import UserRefused
from secondpost.protocols.tokens import Ring
from secondpost.store.owner_ports import Selection
from secondpost.store.sqlite.schema import Database
from secondpost.world.real.dice import RealDice
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.keys import load_key_ring, make_missing_keys
from tests.store.letters import Letters
from tests.store.place import SqlitePlace

TEXT = """\
version = 3
hostname = "mx2.example.net"
store = "{store}"
owner = ["me@elsewhere.example"]

[[backup]]
domain = "example.net"
recipients = ["me@example.net"]
"""
LETTERS = 5
LARGE_OCTETS = 200_000
KEY = "ab" * 32
CALLS = "rename,unlink,unlinkat,rmdir,mkdir,fsync,fdatasync,pwrite64,ftruncate,fchmod"
DEATHS_MIN = 40  # so many calls, at least, change something or make it durable
SOCKETS = ("deliver.socket", "deliver.hints", "alarms.socket", "fetch.socket", "posts.socket")


def config_of(folder: Path) -> Config:
    path = folder / "secondpost.toml"
    path.write_text(TEXT.format(store=folder / "store"))
    return read_config(str(path))


async def _killed_in_use(folder: Path) -> None:
    """Copy a store beneath the feet of its processes."""
    (folder / "open").mkdir()
    place = SqlitePlace(str(folder / "open"))
    try:
        mail, newsletter = place.open(), place.open_newsletter()
        letters = Letters(place, mail)
        for number in range(LETTERS):
            await letters.send(f"u{number}@example.net")
        name = f"content/{mail.worker}-large"
        file = place.mail_disk.create(name)
        file.write(b"y" * LARGE_OCTETS)
        file.close()
        await letters.send("large@example.net", content=InFile(name, LARGE_OCTETS))
        await Letters(place, newsletter).send("reader@example.net")
        shutil.copytree(folder / "open", folder / "copied")
    finally:
        await place.close()


@pytest.fixture(scope="module")
def memory() -> Iterator[Path]:
    """A folder on a file system where a sync takes no time."""
    with TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def earlier(memory: Path) -> Path:
    """A folder with a store as an older version leaves it."""
    folder = memory / "earlier"
    folder.mkdir()
    asyncio.run(_killed_in_use(folder))
    copied, store = folder / "copied", folder / "store"
    store.mkdir(mode=0o700)
    for path in (*(copied / "mail").iterdir(), *(copied / "newsletter").glob("newsletter.db*")):
        path.rename(store / path.name)
    for path in (copied / "newsletter" / "workers").iterdir():
        path.rename(store / "workers" / path.name)
    make_missing_keys(str(store), Dkim(), RealDice())
    (store / "keys" / "links" / "links.keys").unlink()
    (store / "keys" / "links").rmdir()
    ring = store / "keys" / "links.keys"
    ring.write_text(f"1 {KEY}\n")
    ring.chmod(0o600)
    for name in SOCKETS:
        with socket.socket(socket.AF_UNIX) as door:
            door.bind(str(store / name))
    (store / "deliver.lock").touch()
    (store / "service.lock").touch()
    assert (store / "mail.db-wal").stat().st_size > 0
    assert (store / "newsletter.db-wal").stat().st_size > 0
    return folder


@pytest.fixture
def folder(earlier: Path, tmp_path: Path) -> Path:
    return _copy(earlier, tmp_path / "here")


def _copy(earlier: Path, folder: Path) -> Path:
    folder.mkdir()
    # Sockets and locks mean nothing to another process, so they need not be copied every time.
    shutil.copytree(earlier / "store", folder / "store", ignore=lambda path, names: set(names) & {*SOCKETS})
    return folder


async def _mail_in(store: Path) -> dict[Database, list[str]]:
    place = SqlitePlace(str(store))
    try:
        mail, newsletter = place.open(), place.open_newsletter()
        await mail.sweep()
        found = {}
        for database, one in ((Database.MAIL, mail), (Database.NEWSLETTER, newsletter)):
            listed = await one.listed(Selection(states=(State.WAITING,)), None, 100)
            found[database] = sorted(str(row.recipient) for row in listed)
        [large] = place.mail_disk.names("content")
        assert place.mail_disk.read(f"content/{large}", 0, LARGE_OCTETS) == b"y" * LARGE_OCTETS
        return found
    finally:
        await place.close()


def nothing_is_lost(folder: Path) -> None:
    store = folder / "store"
    assert not lies_flat(str(store))
    assert sorted(path.name for path in store.iterdir() if not path.is_dir()) == ["service.lock"]
    assert load_key_ring(str(store), Ring.LINKS).keys == {1: bytes.fromhex(KEY)}
    load_key_ring(str(store), Ring.ADDRESSES)
    found = asyncio.run(_mail_in(store))
    expected = sorted([*(f"u{number}@example.net" for number in range(LETTERS)), "large@example.net"])
    assert found == {Database.MAIL: expected, Database.NEWSLETTER: ["reader@example.net"]}


def test_everything_lies_in_its_room_afterwards(earlier: Path, tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    subprocess.run(["cp", "-a", str(earlier / "store"), str(folder / "store")], check=True)
    config = config_of(folder)
    assert lies_flat(config.store)
    assert settle_in(config)
    nothing_is_lost(folder)
    assert not settle_in(config), "the second start finds nothing to move"


def test_a_store_that_was_moved_is_no_copy_of_another(tmp_path: Path) -> None:
    """A copy would send nothing of what it holds."""

    async def opened() -> bool:
        place = SqlitePlace(str(tmp_path / "store"))
        try:
            return await place.open().copy_hold() is None
        finally:
            await place.close()

    config, store = config_of(tmp_path), tmp_path / "store"
    store.mkdir()
    assert asyncio.run(opened())
    for path in (store / "mail").glob("mail.db*"):
        path.rename(store / path.name)
    assert len(list(store.glob("mail.db-witness-*"))) == 1
    assert move_flat_store(config)
    assert asyncio.run(opened())


def test_a_fresh_store_is_not_moved(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    config = config_of(tmp_path)
    assert not settle_in(config)
    assert (tmp_path / "store" / "run" / "deliver").is_dir()


def _is_killed_moving(config: Config, call: int) -> bool:
    """Move in a process that is killed as it begins its n-th call; False if it makes fewer."""
    hears, says = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.read(hears, 1)
            move_flat_store(config)
        except BaseException:  # noqa: BLE001  a forked child ends here, whatever failed: it must not run on as pytest
            os._exit(1)
        os._exit(0)
    killing = ("-e", f"trace={CALLS}", "-e", f"inject={CALLS}:signal=KILL:when={call}")
    command = ["strace", "-p", str(pid), "-o", "/dev/null", *killing]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:
        assert strace.stderr is not None
        assert "attached" in strace.stderr.readline()
        os.write(says, b"!")
        _, status = os.waitpid(pid, 0)
    os.close(hears)
    os.close(says)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


def test_a_process_that_is_killed_at_any_call_leaves_what_the_next_one_finishes(
    earlier: Path, memory: Path
) -> None:
    deaths = 0
    while True:
        deaths += 1
        folder = _copy(earlier, memory / f"death-{deaths}")
        config = config_of(folder)
        if not _is_killed_moving(config, deaths):
            break
        settle_in(config)
        nothing_is_lost(folder)
        shutil.rmtree(folder)
    nothing_is_lost(folder)
    assert deaths > DEATHS_MIN


def test_a_log_that_a_power_cut_brought_back_is_removed(folder: Path) -> None:
    """It was copied into the database, and its removal was not durable yet."""
    config, store = config_of(folder), folder / "store"
    log = (store / "mail.db-wal").read_bytes()
    assert move_flat_store(config)
    (store / "mail.db-wal").write_bytes(log)
    assert move_flat_store(config)
    nothing_is_lost(folder)


# ---------------------------------------------------------------- an older service that still runs


@pytest.mark.parametrize("lock", ["service.lock", "deliver.lock", "a worker's"])
def test_a_store_with_which_an_older_service_works_is_left_alone(folder: Path, lock: str) -> None:
    config, disk = config_of(folder), RealDisk(str(folder / "store"))
    name = f"workers/{disk.names('workers')[0]}" if lock == "a worker's" else lock
    held = disk.hold(name)
    assert held is not None
    before = sorted(folder.rglob("*"))
    with pytest.raises(SecondInstance, match=r"works with the store .* end it first|stop it first"):
        move_flat_store(config)
    assert sorted(folder.rglob("*")) == before
    held.release()
    assert move_flat_store(config)
    nothing_is_lost(folder)


def test_a_database_that_an_older_command_has_open_is_left_alone(folder: Path) -> None:
    """Commands hold no lock of ours, only SQLite's."""
    config, reading = config_of(folder), "import apsw, sys; db = apsw.Connection(sys.argv[1]); "
    reading += "print(db.execute('SELECT count(*) FROM message').fetchall(), flush=True); sys.stdin.read()"
    words = [sys.executable, "-c", reading, str(folder / "store" / "mail.db")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as command:
        assert command.stdin is not None
        assert command.stdout is not None
        assert command.stdout.readline() == f"[({LETTERS + 1},)]\n"
        with pytest.raises(SecondInstance, match="stop it first"):
            move_flat_store(config)
        assert (folder / "store" / "mail.db").exists()
        command.stdin.close()
    assert command.returncode == 0
    assert move_flat_store(config)
    nothing_is_lost(folder)


def test_two_stores_of_mail_are_not_made_one(folder: Path) -> None:
    config, room = config_of(folder), folder / "store" / "mail"
    room.mkdir()
    (room / "mail.db").write_bytes(b"another")
    with pytest.raises(UserRefused, match=r"mail\.db of an older version and .*/mail/mail\.db are both"):
        move_flat_store(config)
    assert (room / "mail.db").read_bytes() == b"another"
    (room / "mail.db").unlink()
    assert move_flat_store(config)
    nothing_is_lost(folder)


def test_while_it_is_moved_no_service_starts(folder: Path) -> None:
    config, disk = config_of(folder), RealDisk(str(folder / "store"))
    held = hold_service(disk, config)
    with pytest.raises(SecondInstance):
        move_flat_store(config)
    held.release()
