"""Facts about this machine, its files and its libraries (Linux)."""

import ctypes
import os
import platform
import pwd
import resource
import ssl
import stat
import subprocess
import sys
from collections.abc import Iterable

from secondpost.setup.files import FileFacts
from secondpost.setup.machine import ClockFacts

_NO_CHANGE = 0  # `modes` of adjtimex(2): only read
_STA_UNSYNC = 0x0040
_TIME_ERROR = 5


class _Timex(ctypes.Structure):
    """The beginning of struct timex; the rest is room for what the kernel writes behind it."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),  # microseconds
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


def clock_facts() -> ClockFacts | None:
    """None if the kernel refuses to say, as some containers have it."""
    timex = _Timex(modes=_NO_CHANGE)
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    if state < 0:
        return None
    is_synchronised = state != _TIME_ERROR and timex.status & _STA_UNSYNC == 0
    return ClockFacts(is_synchronised, timex.maxerror // 1000)


def file_facts(path: str) -> FileFacts | None:
    """None if it does not exist or cannot be looked at."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return FileFacts(path, stat.S_IMODE(status.st_mode), _name_of(status.st_uid))


def all_file_facts(paths: Iterable[str]) -> tuple[FileFacts, ...]:
    """Of those that exist."""
    return tuple(facts for facts in map(file_facts, paths) if facts is not None)


def can_read(user: str, path: str) -> bool:
    """Whether a user can open a file for reading; True where that cannot be seen from here."""
    if os.geteuid() != 0:
        return _name_of(os.geteuid()) != user or os.access(path, os.R_OK)
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        return True
    # Tried as that user, since access control lists count too.
    groups = os.getgrouplist(user, entry.pw_gid)
    tried = subprocess.run(
        ["test", "-r", path], user=entry.pw_uid, group=entry.pw_gid, extra_groups=groups, check=False
    )
    return tried.returncode == 0


def open_files_max() -> int:
    """What a role may raise its own limit to."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return sys.maxsize if hard == resource.RLIM_INFINITY else hard


def library_versions() -> dict[str, str]:
    return {"OpenSSL": ssl.OPENSSL_VERSION.split()[1], "Python": platform.python_version()}


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"#{uid}"
