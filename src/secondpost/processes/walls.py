"""Raises the walls around a process of a role, before it starts a thread, opens a store or reads a key.

Everything that the role does is done behind them: so what it needs later, it needs at its start too.
What lies outside its rooms is opened for it by its supervisor (named_files), which has no walls.
"""

import os
import sys
import sysconfig
import zoneinfo
from collections.abc import Iterable, Sequence

from secondpost.config.records import Config
from secondpost.mail.store_rooms import StoreRoom
from secondpost.mail.walls import StandingWalls, walls_of
from secondpost.processes.environment import take_no_new_privileges
from secondpost.world.real.capabilities import drop_capabilities, forbid_looking_in
from secondpost.world.real.landlock import Fence, landlock_version, raise_fence
from secondpost.world.real.seccomp import Sockets, has_seccomp, raise_filter
from secondpost.world.real.tls import authority_paths

# Shared libraries that are loaded when they are first needed, and tables of the machine that the C
# library and Python read then. All of them are public.
LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib")
TABLES = (
    "/etc/gai.conf",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/machine-id",  # by which a store knows that it was copied to another machine
    "/etc/mime.types",
    "/etc/nsswitch.conf",
    "/etc/protocols",
    "/etc/services",
)

TOO_WIDE = ("/", "/etc")
MODULES = ("stdlib", "platstdlib", "purelib", "platlib")  # of sysconfig


def raise_walls(config: Config, roles: Sequence[str], named: Iterable[str]) -> StandingWalls:
    """Irreversible. `named`: files outside the store that this process opens itself.

    Walls that this kernel does not have, or a sandbox around us forbids, are left out. Raises
    LandlockRefused, SeccompRefused and OSError if one that it has cannot be raised.
    """
    walls = walls_of(roles)
    public = [*python_folders(), *LIBRARIES, *TABLES, *zoneinfo.TZPATH]
    if walls.has_internet:
        public += authority_paths()
    opened = [path for path in public if not _is_above(path, config.store)]
    fence = Fence(
        read=[*opened, *map(_around, named), *_folders(config.store, walls.read)],
        # All roles in one process also hold the lock of the service, in the store itself.
        written=[config.store] if len(roles) > 1 else _folders(config.store, walls.written),
        can_connect=walls.has_internet,
        can_bind_any_port=walls.has_internet,
    )
    return _raise(fence, Sockets.INTERNET if walls.has_internet else Sockets.LOCAL)


def raise_maker_walls() -> StandingWalls:
    """Of a process that only computes: it reads Python's modules, and opens no socket."""
    fence = Fence([*python_folders(), *LIBRARIES], [], can_connect=False, can_bind_any_port=False)
    return _raise(fence, Sockets.NO)


def _raise(fence: Fence, sockets: Sockets) -> StandingWalls:
    take_no_new_privileges()
    drop_capabilities()
    forbid_looking_in()
    landlock, seccomp = landlock_version(), has_seccomp()
    if landlock > 0:
        try:
            raise_fence(fence, landlock)
        except PermissionError:  # as the seccomp filter of some containers has it
            landlock = 0
    if seccomp:
        try:
            raise_filter(sockets)
        except PermissionError:
            seccomp = False
    return StandingWalls(landlock, seccomp)


def python_folders() -> list[str]:
    """Where the interpreter finds modules, their data and its own library."""
    paths = sysconfig.get_paths()
    package = os.path.dirname(os.path.dirname(__file__))
    own = [package, os.path.join(sys.base_prefix, "lib"), *(paths[name] for name in MODULES)]
    return [os.path.abspath(path) for path in (*sys.path, *own) if os.path.exists(path)]


def _around(path: str) -> str:
    """The folder of a file, since a file that is replaced is another one for Landlock; the file alone
    where the folder has the whole machine's settings.
    """
    file = os.path.realpath(path)
    folder = os.path.dirname(file)
    return file if folder in TOO_WIDE else folder


def _folders(store: str, rooms: Sequence[StoreRoom]) -> list[str]:
    return [os.path.join(store, room.folder) for room in rooms]


def _is_above(path: str, store: str) -> bool:
    """Whether a rule for this path would open the store, too."""
    store = os.path.realpath(store)
    return os.path.commonpath((os.path.realpath(path), store)) == os.path.realpath(path)
