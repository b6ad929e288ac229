"""Drop root after the ports are open, and become the configured user for good."""

import errno
import os
import pwd
import shlex
import stat
import sys
from dataclasses import dataclass

from secondpost.config.faults import ConfigFaults
from secondpost.config.reading import read_config
from secondpost.config.records import Config
from secondpost.mail.store_rooms import StoreRoom
from secondpost.world.ports import DiskFailed
from secondpost.world.real.modes import SHARED

FOLDERS = tuple(room.folder for room in StoreRoom)  # that the service creates in its store


class UserRefused(Exception):
    """The service cannot become the configured user. The text names the remedy."""


@dataclass(frozen=True, slots=True)
class SystemUser:
    name: str
    uid: int
    gid: int
    groups: tuple[int, ...] = ()  # further ones


def service_user(config: Config) -> SystemUser | None:
    """The user to become; None to stay as we are.

    The default user need not exist: a machine without it is a trial or a test.
    """
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(config.user)
    except KeyError:
        if config.user == Config.__dataclass_fields__["user"].default:
            return None
        raise UserRefused(
            f"there is no user {config.user}, named by `user` in {config.path}; "
            f"type: adduser --system --group --no-create-home {config.user}"
        ) from None
    return SystemUser(entry.pw_name, entry.pw_uid, entry.pw_gid) if entry.pw_uid != 0 else None


def is_divided(store: str) -> bool:
    """Whether each role has a user of its own here: root owns the folder, and the room of mail is
    shared.
    """
    try:
        mail = os.lstat(os.path.join(store, StoreRoom.MAIL.folder))
        return os.lstat(store).st_uid == mail.st_uid == 0 and mail.st_mode & SHARED == SHARED
    except OSError:
        return False


def commands_user(config: Config) -> SystemUser:
    """The user of commands on a divided store, in the groups of all rooms. Raises UserRefused."""
    try:
        entry = pwd.getpwnam(config.user)
    except KeyError:
        raise UserRefused(
            f"the store {config.store} is divided among the users of the roles, and their user for commands, "
            f"{config.user}, is gone; type: systemd-sysusers"
        ) from None
    groups = tuple(os.getgrouplist(entry.pw_name, entry.pw_gid))
    return SystemUser(entry.pw_name, entry.pw_uid, entry.pw_gid, groups)


def prepare_store(config: Config, person: SystemUser | None) -> None:
    """Make the store's folder, owned by its user. Raises UserRefused and DiskFailed."""
    if is_divided(config.store):
        raise UserRefused(_is_divided(config))
    uid = os.geteuid() if person is None else person.uid
    try:
        _make_folder(config.store)
        refuse_open_store(config)
        if person is not None and len(os.listdir(config.store)) == 0:
            os.chown(config.store, person.uid, person.gid)
        owners = [os.stat(path).st_uid for path in _whose_owner_counts(config.store)]
    except OSError as error:
        if error.errno == errno.EIO:
            raise DiskFailed(f"the disk of the store {config.store} fails: {error.strerror}") from error
        owner = shlex.quote(name_of(uid, str(uid)))
        raise UserRefused(
            f"the store {config.store} cannot be used: {error.strerror}; "
            f"type as root: install -d -m 700 -o {owner} {shlex.quote(config.store)}"
        ) from error
    strangers = [owner for owner in owners if owner != uid]
    if len(strangers) > 0:
        raise UserRefused(_not_ours(config, person, strangers[0]))


def _make_folder(store: str) -> None:
    try:
        os.stat(store)
    except FileNotFoundError:
        os.makedirs(store, mode=0o700, exist_ok=True)


def refuse_open_store(config: Config) -> None:
    """Raise UserRefused if the store is not a folder, is a link, or is writable by others, who
    could put keys and mail there. The rooms of a divided store are writable by their groups.

    Raises OSError if there is no store.
    """
    store, divided = os.path.abspath(config.store), is_divided(config.store)
    for folder in (store, *(os.path.join(store, name) for name in FOLDERS)):
        try:
            mode = os.lstat(folder).st_mode
        except (FileNotFoundError, PermissionError):  # if not ours, reported elsewhere
            if folder == store:
                raise
            continue
        if stat.S_ISLNK(mode):
            raise UserRefused(_is_a_link(config, folder))
        if not stat.S_ISDIR(mode):
            raise UserRefused(f"{folder} should be a folder and is not; move it away, or set another store")
        if mode & (stat.S_IWOTH if folder != store and divided else stat.S_IWGRP | stat.S_IWOTH) != 0:
            raise UserRefused(f"others may write in {folder}; type: chmod 700 {shlex.quote(folder)}")


def _is_divided(config: Config) -> str:
    return (
        f"the store {config.store} is divided among the users of the roles; "
        "type: systemctl start secondpost.target, or: secondpost systemd --remove"
    )


def _is_a_link(config: Config, folder: str) -> str:
    real = os.path.realpath(folder)
    if folder == os.path.abspath(config.store):
        return f'the store {folder} is a link; write store = "{real}" in {config.path}'
    here = shlex.quote(folder)
    return f"{folder} is a link; type: rm {here} && mv {shlex.quote(real)} {here}"


def _whose_owner_counts(store: str) -> list[str]:
    """Paths whose owner must be ours: another user's database could not be opened, or would be
    taken from its owner.
    """
    database = os.path.join(store, StoreRoom.MAIL.folder, "mail.db")
    return [store, database] if os.path.exists(database) else [store]


def _not_ours(config: Config, person: SystemUser | None, owner: int) -> str:
    if person is not None:
        fix = f"type: chown -R {person.name}: {shlex.quote(config.store)}"
        return f"the store {config.store} does not belong to {person.name}; {fix}"
    if os.geteuid() == 0:
        other = name_of(owner, str(owner))
        fix = f'write user = "{other}" in {config.path}, or type: chown -R root: {shlex.quote(config.store)}'
        return f"the store {config.store} does not belong to root, but to {other}; {fix}"
    path = shlex.quote(os.path.abspath(config.path))
    others = shlex.quote(name_of(owner, f"#{owner}"))
    fix = f"type as root: runuser -u {others} -- secondpost --config {path} serve"
    return f"the store {config.store} does not belong to you; {fix}"


def name_of(uid: int, number: str) -> str:
    """The user's name, or `number` if it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return number


def become(person: SystemUser) -> None:
    """Become this user. Irreversible."""
    os.setgroups(person.groups)
    os.setgid(person.gid)
    os.setuid(person.uid)


def keep_from_others() -> None:
    """Everything that this process makes on a divided store is for its user and groups.

    Modes are given explicitly all the same: this spares other roles a refusal between the making of
    a file and its mode.
    """
    os.umask(stat.S_IRWXO)


def need_what_is_named(
    config: Config, person: SystemUser, only: str | None = None, program: str = sys.executable
) -> None:
    """Raise UserRefused if this user, as whom we run now, cannot start the roles' processes
    (`program`), or cannot read what the configuration names for it (`only` one role) and root could.
    """
    if not os.access(program, os.X_OK):
        raise UserRefused(
            f"the user {person.name} may not run {program}, or the Python to which it leads; install "
            "Secondpost with a Python that every user may run: /usr/bin/python3 -m venv /opt/secondpost"
        )
    try:
        read_config(config.path, only)
    except ConfigFaults as faults:
        raise UserRefused(
            f"{faults.texts()[0]}; the service runs as {person.name}: give that user a copy, also after each "
            f"renewal (install -D -o {person.name} -m 600 FILE /etc/secondpost/FILE), and name the copy"
        ) from None
