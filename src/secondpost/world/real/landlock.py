"""Landlock: this process gives up, for good, every file and TCP port that it does not name here.

The kernel's interface (landlock(7)) has no function in the C library, so the three system calls are
made by number, which is the same on every architecture. What a kernel can forbid depends on its
Landlock version; a `Fence` names what is to be allowed, and everything else that this kernel knows
how to forbid is forbidden.

Landlock binds the calling thread and the threads that it starts later, not those that run already.
"""

import ctypes
import errno
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntFlag

# The same on every architecture.
_CREATE_RULESET = 444
_ADD_RULE = 445
_RESTRICT_SELF = 446
_VERSION_ONLY = 1  # LANDLOCK_CREATE_RULESET_VERSION
_PATH_BENEATH = 1
_NET_PORT = 2

VERSION_KNOWN = 7  # the newest whose meaning is written here; 7 itself only adds audit records
NOT_IN_THIS_KERNEL = frozenset({errno.ENOSYS, errno.EOPNOTSUPP})
TASKS = "/proc/self/task"


class FileRight(IntFlag):
    """LANDLOCK_ACCESS_FS_…, in the kernel's bits."""

    EXECUTE = 1 << 0
    WRITE_FILE = 1 << 1
    READ_FILE = 1 << 2
    READ_DIR = 1 << 3
    REMOVE_DIR = 1 << 4
    REMOVE_FILE = 1 << 5
    MAKE_CHAR = 1 << 6
    MAKE_DIR = 1 << 7
    MAKE_REG = 1 << 8
    MAKE_SOCK = 1 << 9
    MAKE_FIFO = 1 << 10
    MAKE_BLOCK = 1 << 11
    MAKE_SYM = 1 << 12
    REFER = 1 << 13  # move or link a file into another folder
    TRUNCATE = 1 << 14
    IOCTL_DEV = 1 << 15


class PortRight(IntFlag):
    """LANDLOCK_ACCESS_NET_…"""

    BIND_TCP = 1 << 0
    CONNECT_TCP = 1 << 1


class Scope(IntFlag):
    """LANDLOCK_SCOPE_…: only processes that are behind the same fence can be reached."""

    ABSTRACT_UNIX_SOCKET = 1 << 0
    SIGNAL = 1 << 1


_OF_VERSION_1 = FileRight((1 << 13) - 1)
# By the version that brought it.
_FILE_RIGHTS = {1: _OF_VERSION_1, 2: FileRight.REFER, 3: FileRight.TRUNCATE, 5: FileRight.IOCTL_DEV}
_PORT_RIGHTS = {4: PortRight.BIND_TCP | PortRight.CONNECT_TCP}
_SCOPES = {6: Scope.ABSTRACT_UNIX_SOCKET | Scope.SIGNAL}

READ = FileRight.READ_FILE | FileRight.READ_DIR
WRITE = (
    READ
    | FileRight.WRITE_FILE
    | FileRight.TRUNCATE
    | FileRight.REMOVE_FILE
    | FileRight.REMOVE_DIR
    | FileRight.MAKE_DIR
    | FileRight.MAKE_REG
    | FileRight.MAKE_SOCK
    | FileRight.REFER
)
_OF_A_FILE = FileRight.READ_FILE | FileRight.WRITE_FILE | FileRight.TRUNCATE


class LandlockRefused(Exception):
    """The kernel did not do what it says it can. The text says what failed, and with which error."""


@dataclass(frozen=True, slots=True)
class Fence:
    """What stays allowed. A folder stands for everything below it, also for what comes later.

    A path that does not exist is left out. No program can be run, whatever else is allowed.
    """

    read: Sequence[str]
    written: Sequence[str]
    can_connect: bool  # to any TCP port
    can_bind_any_port: bool  # to TCP port 0: the kernel chooses one, as for a connection from here


class _RulesetAttr(ctypes.Structure):
    _fields_ = (
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _PathBeneathAttr(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


class _NetPortAttr(ctypes.Structure):
    _fields_ = (("allowed_access", ctypes.c_uint64), ("port", ctypes.c_uint64))


def landlock_version() -> int:
    """The version of this kernel's Landlock, or the newest that we know; 0 if it has none, or none may
    be used here.
    """
    try:
        version = _call("asking for the version", _CREATE_RULESET, None, 0, _VERSION_ONLY)
        return min(version, VERSION_KNOWN)
    except OSError:
        return 0


def raise_fence(fence: Fence, version: int) -> None:
    """Irreversible. `version`: what landlock_version says, above 0; `no_new_privs` must be set.

    Raises LandlockRefused, and OSError with EPERM where a sandbox around us forbids the calls.
    """
    threads = len(os.listdir(TASKS)) if os.path.isdir(TASKS) else 1
    if threads != 1:
        raise LandlockRefused(f"Landlock binds one thread, and this process has {threads} already")
    ruleset = _new_ruleset(fence, version)
    try:
        for path in fence.read:
            _allow(ruleset, path, READ, version)
        for path in fence.written:
            _allow(ruleset, path, WRITE, version)
        if fence.can_bind_any_port and _brought(_PORT_RIGHTS, version) != 0:
            port = _NetPortAttr(PortRight.BIND_TCP, 0)
            _call("allowing port 0", _ADD_RULE, ruleset, _NET_PORT, ctypes.byref(port), 0)
        _call("restricting itself", _RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _new_ruleset(fence: Fence, version: int) -> int:
    ports = _brought(_PORT_RIGHTS, version)
    if fence.can_connect:
        ports &= ~PortRight.CONNECT_TCP
    attr = _RulesetAttr(_brought(_FILE_RIGHTS, version), ports, _brought(_SCOPES, version))
    # An older kernel knows a shorter structure, and takes ours as long as the rest is zero.
    return _call("making a ruleset", _CREATE_RULESET, ctypes.byref(attr), ctypes.sizeof(attr), 0)


def _allow(ruleset: int, path: str, rights: FileRight, version: int) -> None:
    try:
        folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return  # what is not there, or not for this user, needs no rule
    try:
        if not stat.S_ISDIR(os.fstat(folder).st_mode):
            rights &= _OF_A_FILE
        rule = _PathBeneathAttr(rights & _brought(_FILE_RIGHTS, version), folder)
        _call(f"allowing {path}", _ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(folder)


def _brought(rights: "dict[int, FileRight] | dict[int, PortRight] | dict[int, Scope]", version: int) -> int:
    """The bits that a kernel of this version knows."""
    known = 0
    for since, bits in rights.items():
        if since <= version:
            known |= bits
    return known


def _call(what: str, number: int, *arguments: object) -> int:
    library = ctypes.CDLL(None, use_errno=True)
    # The kernel takes words, whatever C would pass for a small number.
    words = [ctypes.c_long(one) if isinstance(one, int) else one for one in (number, *arguments)]
    result: int = library.syscall(*words)
    if result >= 0:
        return result
    error = ctypes.get_errno()
    if error == errno.EPERM or error in NOT_IN_THIS_KERNEL:
        raise OSError(error, os.strerror(error))
    raise LandlockRefused(f"Landlock: {what} failed: {os.strerror(error)}")
