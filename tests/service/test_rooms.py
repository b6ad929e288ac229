"""A store divided among the users of its roles, by real processes of real users.

Users are numbers here, so no account needs to exist. Only root can make processes of other users:
these tests run as root.
"""

import asyncio
import os
import socket
import stat
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from secondpost.config.reading import read_config
from secondpost.config.records import Config
from secondpost.mail.content import InFile
from secondpost.mail.delivery import State
from secondpost.mail.duration import DAY_MS
from secondpost.mail.store_rooms import ROLES, SERVICE_GROUP, StoreRoom, readable_by, writable_by
from secondpost.processes.instance import SecondInstance, hold_service
from secondpost.processes.own_rooms import is_prepared_for
from secondpost.processes.rooms import RoomUsers, acting_as, give_back_rooms, prepare_rooms
from secondpost.processes.user import SystemUser, UserRefused, is_divided, prepare_store
from secondpost.protocols.tokens import Ring
from secondpost.roles.parts import HINTS, QUESTIONS
from secondpost.setup.unit_users import groups_of_role
from secondpost.store.owner_ports import Selection
from secondpost.store.sqlite.schema import Database
from secondpost.world.ports import KeyFault
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.keys import load_key_ring, load_signing_keys, pem_path, ring_path
from secondpost.world.real.local import stream_door
from tests.store.letters import Letters, leased, settled
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
LARGE_OCTETS = 200_000
GROUPS = {name: 52_000 + n for n, name in enumerate(sorted({room.value.group for room in StoreRoom}))}
OWNER = SystemUser("secondpost", 51_000, GROUPS[SERVICE_GROUP], tuple(GROUPS.values()))
USERS = RoomUsers(OWNER, {role: 51_001 + n for n, role in enumerate(ROLES)}, GROUPS)
STRANGER = SystemUser("stranger", 51_900, 52_900)


def user_of(role: str) -> SystemUser:
    groups = tuple(GROUPS[name] for name in groups_of_role(role))
    return SystemUser(role, USERS.roles[role], GROUPS[SERVICE_GROUP], groups)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not below tmp_path, which other users cannot enter."""
    with TemporaryDirectory(dir="/dev/shm") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def config(folder: Path) -> Config:
    path = folder / "secondpost.toml"
    path.write_text(TEXT.format(store=folder / "store"))
    return read_config(str(path))


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    """Other users may not be able to read Python's modules, so all are loaded before."""
    with TemporaryDirectory(dir="/dev/shm") as name:
        desk = Desk(name)
        desk.accept("a@example.net", large=True)
        desk.deliver("a@example.net", LARGE_OCTETS)
        asyncio.run(_both(name))
        assert "a".encode("ascii").decode("ascii") == "a"


def as_user(person: SystemUser, work: Callable[[], object]) -> None:
    """Do the work in a process of this user; its failure is ours."""
    hears, says = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(hears)
            os.umask(0o022)
            os.setgroups(person.groups)
            os.setresgid(person.gid, person.gid, person.gid)
            os.setresuid(person.uid, person.uid, person.uid)
            work()
        except BaseException:  # noqa: BLE001  a forked child ends here, whatever failed: it must not run on as pytest
            os.write(says, traceback.format_exc().encode()[-8000:])
            os._exit(1)
        os._exit(0)
    os.close(says)
    with os.fdopen(hears, "rb") as said:
        text = said.read().decode()
    os.waitpid(pid, 0)
    assert text == ""


def modes_below(store: Path) -> dict[str, tuple[int, int, int]]:
    found = {}
    for path in sorted(store.rglob("*")):
        facts = path.lstat()
        if not stat.S_ISSOCK(facts.st_mode):
            found[str(path.relative_to(store))] = (facts.st_uid, facts.st_gid, stat.S_IMODE(facts.st_mode))
    return found


# ---------------------------------------------------------------- what the rooms are


def test_the_rooms_have_the_owners_groups_and_modes_of_the_table(config: Config) -> None:
    prepare_rooms(config, USERS)
    store = Path(config.store)
    found, roles, group = modes_below(store), USERS.roles, GROUPS[SERVICE_GROUP]
    assert (store.stat().st_uid, store.stat().st_gid, stat.S_IMODE(store.stat().st_mode)) == (0, group, 0o750)
    assert is_divided(config.store)
    assert found["mail"] == (0, GROUPS["secondpost-mail"], 0o2770)
    assert found["newsletter"] == (0, GROUPS["secondpost-newsletter"], 0o2770)
    assert found["keys"] == (roles["deliver"], GROUPS["secondpost-keys"], 0o2751)
    assert found["keys/links"] == (roles["deliver"], GROUPS["secondpost-links"], 0o2750)
    assert found["keys/links/links.keys"] == (roles["deliver"], GROUPS["secondpost-links"], 0o640)
    assert found["keys/sp-rsa.pem"] == (roles["deliver"], GROUPS["secondpost-keys"], 0o640)
    assert found["tls"] == (roles["deliver"], GROUPS["secondpost-tls"], 0o2750)
    assert found["acme"] == (roles["fetch"], GROUPS["secondpost-acme"], 0o2750)
    assert found["run"] == (0, group, 0o750)
    assert {role: found[f"run/{role}"] for role in ROLES} == {
        role: (roles[role], group, 0o2750) for role in ROLES
    }
    prepare_rooms(config, USERS)
    assert modes_below(store) == found, "a second time changes nothing"


def test_each_role_writes_in_its_rooms_and_opens_no_other(config: Config) -> None:
    prepare_rooms(config, USERS)
    store = Path(config.store)

    def tried(role: str) -> None:
        assert is_prepared_for(config, [role])
        own, run = set(writable_by(role)), {room for room in StoreRoom if room.folder.startswith("run/")}
        reads = set(readable_by(role))
        for room in StoreRoom:
            path = store / room.folder
            assert _may(os.W_OK, path) is (room in own), f"{role} writes {room}"
            if room is not StoreRoom.POLICIES:  # public, and in a group with what is not
                assert _may(os.R_OK, path) is (room in own | reads | run), f"{role} reads {room}"
        for path in (store / "new", store / "run" / "new", store / "mail" / ".." / "new"):
            with pytest.raises(PermissionError):
                path.touch()

    for role in ROLES:
        as_user(user_of(role), partial(tried, role))


def _may(right: int, path: Path) -> bool:
    return os.access(path, right | os.X_OK)


# ---------------------------------------------------------------- two users, one database


@dataclass
class Desk:
    """The store of mail as a role's process uses it."""

    store: str

    def accept(self, recipient: str, *, large: bool = False, checkpoint: bool = False) -> None:
        asyncio.run(self._accept(recipient, large, checkpoint))

    async def _accept(self, recipient: str, large: bool, checkpoint: bool) -> None:
        place = SqlitePlace(self.store, is_laid=False)
        mail = place.open("receive")
        letters, content = Letters(place, mail), None
        if large:
            name = f"content/{mail.worker}-{recipient.partition('@')[0]}"
            file = place.mail_disk.create(name)
            file.write(b"y" * LARGE_OCTETS)
            file.sync()
            file.close()
            place.mail_disk.sync_folder("content")
            content = InFile(name, LARGE_OCTETS)
        await (letters.send(recipient) if content is None else letters.send(recipient, content=content))
        if checkpoint:
            assert await mail.checkpoint() >= 0
        await place.close()
        assert place.failures == []

    def deliver(self, recipient: str, octets: int | None = None) -> None:
        asyncio.run(self._deliver(recipient, octets))

    async def _deliver(self, recipient: str, octets: int | None) -> None:
        place = SqlitePlace(self.store, is_laid=False)
        mail = place.open("deliver")
        await mail.sweep()
        lease = await leased(mail)
        claimed = await mail.claim(lease, place.clock.ms + DAY_MS, 100)
        [one] = [each for each in claimed if str(each.recipient) == recipient]
        if octets is not None:
            [name] = place.mail_disk.names("content")
            assert place.mail_disk.read(f"content/{name}", 0, octets) == b"y" * octets
        await mail.settle(lease, [settled(one, State.DELIVERED, place.clock.ms)])
        await mail.give_back(lease)
        await mail.sweep()
        assert await mail.checkpoint() >= 0
        if octets is not None:
            assert place.mail_disk.names("content") == []
        await place.close()
        assert place.failures == []


@pytest.mark.parametrize("first", ["receive", "deliver"])
def test_two_users_share_the_database_of_mail(config: Config, first: str) -> None:
    """Each opens it after the other has closed it, and while the other has it open."""
    prepare_rooms(config, USERS)
    desk, receive, deliver = Desk(config.store), user_of("receive"), user_of("deliver")
    opener = user_of(first)
    as_user(opener, lambda: desk.accept("a@example.net", large=True))
    as_user(receive, lambda: desk.accept("b@example.net", checkpoint=True))
    as_user(deliver, lambda: desk.deliver("a@example.net", LARGE_OCTETS))
    as_user(deliver, lambda: _beside(desk, opener=deliver, other=receive))
    as_user(receive, lambda: desk.accept("d@example.net", checkpoint=True))
    as_user(OWNER, lambda: desk.deliver("d@example.net"))
    files = {name: facts for name, facts in modes_below(Path(config.store, "mail")).items() if "." in name}
    assert {(group, mode) for _, group, mode in files.values()} == {(GROUPS["secondpost-mail"], 0o660)}


def _beside(desk: Desk, opener: SystemUser, other: SystemUser) -> None:
    """As `opener`: hold the database open, and see what `other` writes meanwhile."""

    async def opened() -> None:
        place = SqlitePlace(desk.store, is_laid=False)
        mail = place.open("deliver")
        await Letters(place, mail).send("c@example.net")
        room = Path(desk.store) / "mail"
        found = {path.name: path.stat() for path in room.glob("mail.db*")}
        assert {"mail.db-wal", "mail.db-shm"} <= found.keys()
        assert {stat.S_IMODE(facts.st_mode) for facts in found.values()} == {0o660}
        assert {facts.st_gid for facts in found.values()} == {GROUPS["secondpost-mail"]}
        await place.close()

    asyncio.run(opened())


def test_both_write_at_once_while_the_log_is_copied(config: Config) -> None:
    prepare_rooms(config, USERS)
    desk, pids = Desk(config.store), []

    def write(role: str) -> None:
        for number in range(20):
            desk.accept(f"{role}-{number}@example.net", checkpoint=number % 5 == 0)

    for role in ("receive", "deliver"):
        pid = os.fork()
        if pid == 0:
            try:
                as_user(user_of(role), partial(write, role))
            except BaseException:  # noqa: BLE001  a forked child ends here, whatever failed: it must not run on as pytest
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        pids.append(pid)
    assert [os.WEXITSTATUS(os.waitpid(pid, 0)[1]) for pid in pids] == [0, 0]

    async def counted() -> int:
        place = SqlitePlace(config.store, is_laid=False)
        mail = place.open("deliver")
        count = len(await mail.listed(Selection(), None, 100))
        await place.close()
        return count

    as_user(user_of("deliver"), lambda: _expect(asyncio.run(counted()), 40))


def _expect(found: int, wanted: int) -> None:
    assert found == wanted


def test_neither_a_stranger_nor_another_role_opens_what_is_not_its_own(config: Config) -> None:
    prepare_rooms(config, USERS)
    as_user(user_of("deliver"), lambda: asyncio.run(_both(config.store)))

    def receive() -> None:
        with pytest.raises(PermissionError):
            Path(config.store, Database.NEWSLETTER.path_name).read_bytes()
        for path in (pem_path(config.store, "sp-rsa"), ring_path(config.store, Ring.LINKS)):
            with pytest.raises(PermissionError):
                Path(path).read_bytes()
        with pytest.raises(KeyFault):
            load_signing_keys(config.store, config.dkim)
        assert RealDisk(config.store).size("newsletter/newsletter.db-wal") == 0

    def web() -> None:
        assert len(load_key_ring(config.store, Ring.LINKS).keys) == 1
        with pytest.raises(KeyFault):
            load_key_ring(config.store, Ring.ADDRESSES)
        with pytest.raises(PermissionError):
            Path(config.store, "mail", "mail.db").read_bytes()

    def fetch() -> None:
        for name in ("mail/mail.db", "newsletter/newsletter.db", "keys/sp-rsa.pem"):
            with pytest.raises(PermissionError):
                Path(config.store, name).read_bytes()

    def stranger() -> None:
        for name in ("", "mail", "run", "keys/links"):
            with pytest.raises(PermissionError):
                os.listdir(Path(config.store, name))
        with pytest.raises(PermissionError):
            Path(config.store, "mail", "mail.db").read_bytes()

    for person, work in (
        (user_of("receive"), receive),
        (user_of("web"), web),
        (user_of("fetch"), fetch),
        (STRANGER, stranger),
    ):
        as_user(person, work)


async def _both(store: str) -> None:
    place = SqlitePlace(store, is_laid=False)
    place.open("deliver")
    place.open_newsletter("deliver")
    await place.close()


def test_every_role_connects_to_a_role_s_socket_and_a_stranger_does_not(config: Config) -> None:
    prepare_rooms(config, USERS)
    path = RealDisk(config.store).path(QUESTIONS)
    as_user(user_of("deliver"), lambda: stream_door(path))  # the file stays when its process ends
    facts = os.stat(path)
    assert (facts.st_gid, stat.S_IMODE(facts.st_mode)) == (GROUPS[SERVICE_GROUP], 0o660)

    def connect() -> None:
        with socket.socket(socket.AF_UNIX) as caller, pytest.raises(ConnectionRefusedError):
            caller.connect(path)  # permitted, though no process listens any more

    def refused() -> None:
        with socket.socket(socket.AF_UNIX) as caller, pytest.raises(PermissionError):
            caller.connect(path)

    for role in ROLES:
        as_user(user_of(role), connect)
    as_user(OWNER, connect)
    as_user(STRANGER, refused)
    as_user(user_of("receive"), lambda: _cannot_take_the_place_of(RealDisk(config.store).path(HINTS)))


def _cannot_take_the_place_of(path: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door, pytest.raises(PermissionError):
        door.bind(path)


# ---------------------------------------------------------------- to and fro


def test_a_store_of_one_user_is_divided_and_given_back(config: Config) -> None:
    store = Path(config.store)
    prepare_store(config, OWNER)
    desk = Desk(config.store)
    as_user(OWNER, lambda: desk.accept("a@example.net", large=True))
    as_user(OWNER, lambda: os.mkfifo(store / "mail" / "content" / "pipe"))
    before = {name: facts for name, facts in modes_below(store).items() if not name.endswith("pipe")}
    prepare_rooms(config, USERS)
    as_user(user_of("receive"), lambda: desk.accept("b@example.net"))
    as_user(user_of("deliver"), lambda: desk.deliver("b@example.net"))
    with pytest.raises(UserRefused, match="divided among the users of the roles"):
        prepare_store(config, OWNER)
    give_back_rooms(config, OWNER)
    assert not is_divided(config.store)
    prepare_store(config, OWNER)
    as_user(OWNER, lambda: desk.deliver("a@example.net"))
    after = modes_below(store)
    assert {name: after[name] for name in before if name in after} == {
        name: facts for name, facts in before.items() if name in after
    }
    give_back_rooms(config, OWNER)
    owners = {facts[0] for name, facts in modes_below(store).items() if not name.endswith("pipe")}
    assert owners == {OWNER.uid}


def test_a_store_with_which_a_service_works_is_neither_divided_nor_given_back(config: Config) -> None:
    prepare_store(config, OWNER)
    with acting_as(OWNER.uid, OWNER.gid):
        held = hold_service(RealDisk(config.store), config)
    with pytest.raises(SecondInstance):
        prepare_rooms(config, USERS)
    held.release()
    prepare_rooms(config, USERS)
    with acting_as(USERS.roles["web"], GROUPS[SERVICE_GROUP]):
        held = hold_service(RealDisk(config.store), config, "web")
    prepare_rooms(config, USERS)  # while roles run, too
    with pytest.raises(SecondInstance):
        give_back_rooms(config, OWNER)
    held.release()


# ---------------------------------------------------------------- a role that was taken over


ACTS: dict[str, Callable[[Config], None]] = {
    "prepare": lambda config: prepare_rooms(config, USERS),
    "give back": lambda config: give_back_rooms(config, OWNER),
}


def _planted(role: str, plant: Callable[[], object]) -> None:
    as_user(user_of(role), plant)


def _prize(folder: Path) -> Path:
    """A file of root's, which must stay as it is."""
    prize = folder / "shadow"
    prize.write_text("root's")
    prize.chmod(0o600)
    return prize


@pytest.mark.parametrize("act", ACTS)
def test_root_follows_no_link_of_a_role(folder: Path, config: Config, act: str) -> None:
    prepare_rooms(config, USERS)
    prize, mail = _prize(folder), Path(config.store, "mail")
    (folder / "etc").mkdir(mode=0o755)

    def plant() -> None:
        (mail / "content" / "link").symlink_to(prize)
        (mail / "folder").symlink_to(folder / "etc")
        (mail / "mail.db-wal").symlink_to(prize)

    as_user(user_of("receive"), lambda: Desk(config.store).accept("a@example.net"))
    _planted("receive", plant)
    ACTS[act](config)
    facts = prize.stat()
    assert (facts.st_uid, facts.st_gid, stat.S_IMODE(facts.st_mode)) == (0, 0, 0o600)
    assert ((folder / "etc").stat().st_uid, stat.S_IMODE((folder / "etc").stat().st_mode)) == (0, 0o755)
    assert (mail / "content" / "link").is_symlink()


@pytest.mark.parametrize("act", ACTS)
def test_a_folder_that_became_a_link_is_not_followed(folder: Path, config: Config, act: str) -> None:
    prepare_rooms(config, USERS)
    keys = Path(config.store, "keys")
    (folder / "etc").mkdir(mode=0o755)

    def plant() -> None:
        (keys / "links" / "links.keys").unlink()
        (keys / "links").rmdir()
        (keys / "links").symlink_to(folder / "etc")

    _planted("deliver", plant)
    with suppress(UserRefused):  # which says that it is none
        ACTS[act](config)
    facts = (folder / "etc").stat()
    assert (facts.st_uid, facts.st_gid, stat.S_IMODE(facts.st_mode)) == (0, 0, 0o755)


@pytest.mark.parametrize("act", ACTS)
def test_root_gives_away_no_file_that_has_a_name_elsewhere(folder: Path, config: Config, act: str) -> None:
    """As a role could make one where the kernel lets it (fs.protected_hardlinks = 0)."""
    prepare_rooms(config, USERS)
    prize = _prize(folder)
    Path(config.store, "mail", "content").mkdir(exist_ok=True)
    os.link(prize, Path(config.store, "mail", "content", "7-x"))
    with pytest.raises(UserRefused, match=r"mail/content/7-x has a second name elsewhere"):
        ACTS[act](config)
    facts = prize.stat()
    assert (facts.st_uid, facts.st_gid, stat.S_IMODE(facts.st_mode)) == (0, 0, 0o600)


def test_root_waits_for_no_pipe_and_digs_no_deeper_than_a_room_is(config: Config) -> None:
    prepare_rooms(config, USERS)
    mail = Path(config.store, "mail")
    _planted("receive", lambda: os.mkfifo(mail / "pipe"))
    prepare_rooms(config, USERS)
    _planted("receive", lambda: Path(mail, *"abcdefghijkl").mkdir(parents=True))
    with pytest.raises(UserRefused, match="lies too deep"):
        prepare_rooms(config, USERS)
