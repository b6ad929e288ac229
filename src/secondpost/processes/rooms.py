"""Divide a store among the users of its roles, and give it back to one user. Both are done by root.

In a divided store the folder belongs to root, and each room to the users of its table
(mail/store_rooms): a role that was taken over can open nothing else. It owns files in its rooms,
though, so root must follow nothing there: every folder is opened step by step without links, and a
file with a second name elsewhere is refused.
"""

import grp
import os
import pwd
import shlex
import stat
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

from secondpost.config.records import Config
from secondpost.mail.store_rooms import ROLES, SERVICE_GROUP, StoreRoom, run_room
from secondpost.processes.instance import hold_service
from secondpost.processes.moving import move_flat_store
from secondpost.processes.roles import roles_of
from secondpost.processes.user import SystemUser, UserRefused, is_divided, refuse_open_store
from secondpost.setup.unit_users import user_of_role
from secondpost.world.ports import DiskFailed
from secondpost.world.real.dice import RealDice
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.keys import make_missing_keys
from secondpost.world.real.modes import OF_ONE_WRITER, OF_WRITERS, OWN, Modes
from secondpost.world.room_disk import make_rooms

STORE_MODE = 0o750  # the group of all roles passes through
FOLDER_DEPTH_MAX = 8  # of folders in a room
ROOT = 0
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class RoomUsers:
    """The users of a divided store. `owner` is the user of commands, its group that of all roles."""

    owner: SystemUser
    roles: Mapping[str, int]  # user numbers
    groups: Mapping[str, int]  # group numbers by the names in the table of rooms


@dataclass(frozen=True, slots=True)
class _Rights:
    """What a folder and everything below it gets. `user` None: files keep theirs."""

    folder_user: int
    file_user: int | None
    group: int
    modes: Modes
    may_pass: bool  # others may go through the folder, to a room below it

    @property
    def folder_mode(self) -> int:
        return self.modes.folder | (stat.S_IXOTH if self.may_pass else 0)


def room_users(config: Config) -> RoomUsers:
    """Look the users and groups up by their names. Raises UserRefused if one is missing.

    A role that the configuration does not need has no user; its room is root's.
    """
    try:
        owner = pwd.getpwnam(config.user)
        roles = {role: pwd.getpwnam(user_of_role(role)).pw_uid for role in roles_of(config)}
        groups = {room.value.group: grp.getgrnam(room.value.group).gr_gid for room in StoreRoom}
    except KeyError as missing:
        raise UserRefused(
            f"the users of the roles are not there yet ({missing.args[0]}); type: systemd-sysusers"
        ) from None
    return RoomUsers(SystemUser(owner.pw_name, owner.pw_uid, groups[SERVICE_GROUP]), roles, groups)


def prepare_rooms(config: Config, users: RoomUsers) -> None:
    """Make the rooms of a divided store with their owners, groups, modes and missing keys.

    An existing store of one user is divided first, while no service runs. For root; may be repeated
    at any time. Raises UserRefused, SecondInstance, DiskFull, DiskFailed and KeyFault.
    """
    with _faults_named(config):
        if not os.path.lexists(config.store):
            os.makedirs(config.store, mode=STORE_MODE)
        with ExitStack() as held:
            if not is_divided(config.store):
                refuse_open_store(config)
                _take_over(config, held)
            _divide(config.store, users)
    _make_keys(config, users)


def give_back_rooms(config: Config, person: SystemUser) -> None:
    """Make a divided store one of this user alone, while no role runs. For root; may be repeated.

    Raises as `prepare_rooms` does.
    """
    with _faults_named(config), ExitStack() as held:
        _hold_services(config, held)
        rights = _Rights(person.uid, person.uid, person.gid, OWN, may_pass=False)
        store = _opened(held, config.store, None)
        for name in sorted({room.folder.partition("/")[0] for room in StoreRoom}):
            with suppress(FileNotFoundError):
                _settle_all(store, name, rights, config.store)
        for name in os.listdir(store):
            _settle_file(store, name, rights, config.store)
        _settle(store, person.uid, person.gid, OWN.folder)


def _take_over(config: Config, held: ExitStack) -> None:
    """Take over the store of one user while no service runs, moved into its rooms."""
    store = os.stat(config.store)
    with acting_as(store.st_uid, store.st_gid):
        move_flat_store(config)
        make_rooms(RealDisk(config.store))
    _hold_services(config, held)


def _hold_services(config: Config, held: ExitStack) -> None:
    """Hold the locks of the whole service and of each role's, each as the user who owns its folder: a
    role that was taken over owns what lies there. Raises SecondInstance.
    """
    disk = RealDisk(config.store)
    for role in (None, *ROLES):
        folder = os.stat(disk.path("" if role is None else run_room(role).folder))
        with acting_as(folder.st_uid, folder.st_gid):
            held.callback(hold_service(disk, config, role).release)


def _divide(path: str, users: RoomUsers) -> None:
    with ExitStack() as open_:
        store = _opened(open_, path, None)
        # First, so that from here on only root changes the names in it.
        _settle(store, ROOT, users.owner.gid, STORE_MODE)
        for room in StoreRoom:
            rights = _rights(room, users)
            *parents, last = room.folder.split("/")
            folder = store
            for parent in parents:
                folder = _made(open_, folder, parent)
                if parent not in _ROOM_FOLDERS:
                    _settle(folder, ROOT, users.owner.gid, STORE_MODE)
            _made(open_, folder, last)
            _settle_all(folder, last, rights, path, frozenset(_rooms_below(room)))
        os.fsync(store)


_ROOM_FOLDERS = frozenset(room.folder for room in StoreRoom)


def _rooms_below(room: StoreRoom) -> Iterator[str]:
    for folder in _ROOM_FOLDERS:
        if folder.startswith(f"{room.folder}/"):
            yield folder.removeprefix(f"{room.folder}/")


def _rights(room: StoreRoom, users: RoomUsers) -> _Rights:
    writers = sorted(room.value.writers)
    group, passes = users.groups[room.value.group], any(True for _ in _rooms_below(room))
    if len(writers) > 1:
        return _Rights(ROOT, None, group, OF_WRITERS, passes)
    user = users.roles.get(writers[0], ROOT)
    return _Rights(user, user, group, OF_ONE_WRITER, passes)


def _opened(open_: ExitStack, path: str, folder: int | None) -> int:
    handle = os.open(path, _FOLDER, dir_fd=folder)
    open_.callback(os.close, handle)
    return handle


def _made(open_: ExitStack, folder: int, name: str) -> int:
    with suppress(FileExistsError):
        os.mkdir(name, OWN.folder, dir_fd=folder)
    return _opened(open_, name, folder)


def _settle_all(
    folder: int,
    name: str,
    rights: _Rights,
    path: str,
    others: frozenset[str] = frozenset(),
    depth: int = 0,
) -> None:
    """Give the folder `name` and all below it their rights, but for the rooms named `others`."""
    path = os.path.join(path, name)
    if depth > FOLDER_DEPTH_MAX:
        raise UserRefused(
            f"{path} lies too deep for a folder of the store; remove it: rm -r {shlex.quote(path)}"
        )
    with ExitStack() as open_:
        here = _opened(open_, name, folder)
        _settle(here, rights.folder_user, rights.group, rights.folder_mode)
        below = _Rights(rights.folder_user, rights.file_user, rights.group, rights.modes, may_pass=False)
        with os.scandir(here) as entries:
            for entry in entries:
                if entry.name in others:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    _settle_all(here, entry.name, below, path, depth=depth + 1)
                else:
                    _settle_file(here, entry.name, rights, path)


def _settle_file(folder: int, name: str, rights: _Rights, path: str) -> None:
    """Sockets and links are left as they are: the first are made anew, the second are never followed."""
    try:
        if not stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            return
        handle = os.open(name, _FILE, dir_fd=folder)
    except FileNotFoundError:
        return  # a running role removed it meanwhile
    try:
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode):
            return
        if facts.st_nlink > 1:
            place = os.path.join(path, name)
            raise UserRefused(
                f"{place} has a second name elsewhere, so its owner is not changed; "
                f"look what it is, and remove it: rm {shlex.quote(place)}"
            )
        _settle(
            handle,
            facts.st_uid if rights.file_user is None else rights.file_user,
            rights.group,
            rights.modes.file,
        )
    finally:
        os.close(handle)


def _settle(handle: int, user: int, group: int, mode: int) -> None:
    facts = os.fstat(handle)
    if (facts.st_uid, facts.st_gid) != (user, group):
        os.fchown(handle, user, group)
    if stat.S_IMODE(os.fstat(handle).st_mode) != mode:
        os.fchmod(handle, mode)


def _make_keys(config: Config, users: RoomUsers) -> None:
    """Before any role needs them: only the deliver role may make keys, and the web role reads one."""
    with acting_as(users.roles["deliver"], users.owner.gid):
        make_missing_keys(config.store, config.dkim, RealDice())


@contextmanager
def acting_as(user: int, group: int) -> Iterator[None]:
    """Root works as this user for a while, so that nothing there leads it astray."""
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(group)
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(ROOT)
        os.setegid(ROOT)
        os.setgroups(groups)


@contextmanager
def _faults_named(config: Config) -> Iterator[None]:
    try:
        yield
    except NotADirectoryError as error:
        raise UserRefused(
            f"{error.filename} in the store {config.store} should be a folder, and is none or a link"
        ) from error
    except OSError as error:
        raise DiskFailed(f"preparing the store {config.store}: {error.strerror}") from error
