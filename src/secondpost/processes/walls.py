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
from secondpost.mail.walls import StandingWalls, walls_of
from secondpost.processes.environment import take_no_new_privileges
from secondpost.world.real.capabilities import drop_capabilities, forbid_looking_in
from secondpost.world.real.landlock import VERSION_KNOWN, Fence, landlock_version, raise_fence
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
    # Files that are replaced have another inode afterwards, so the rule is about their folders.
    public += {os.path.dirname(os.path.realpath(path)) for path in named}
    fence = Fence(
        read=[path for path in public if not _is_above(path, config.store)],
        written=[config.store],
        can_connect=walls.has_internet,
        can_bind_any_port=walls.has_internet,
    )
    return _raise(fence, Sockets.INTERNET if walls.has_internet else Sockets.LOCAL)


def raise_maker_walls() -> StandingWalls:
    """Of a process that only computes: it reads Python's modules, and opens no socket."""
    fence = Fence([*python_folders(), *LIBRARIES], [], can_connect=False, can_bind_any_port=False)
    return _raise(fence, Sockets.NO)


def walls_here() -> StandingWalls:
    """The walls that this kernel offers."""
    return StandingWalls(min(landlock_version(), VERSION_KNOWN), has_seccomp())


def _raise(fence: Fence, sockets: Sockets) -> StandingWalls:
    take_no_new_privileges()
    drop_capabilities()
    forbid_looking_in()
    here = walls_here()
    landlock, seccomp = here.landlock, here.has_seccomp
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
    own = [os.path.join(sys.base_prefix, "lib"), *(paths[name] for name in MODULES)]
    return [os.path.abspath(path) for path in (*sys.path, *own) if os.path.exists(path)]


def _is_above(path: str, store: str) -> bool:
    """Whether a rule for this path would open the store, too."""
    store = os.path.realpath(store)
    return os.path.commonpath((os.path.realpath(path), store)) == os.path.realpath(path)
