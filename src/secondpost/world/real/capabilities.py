"""The rights of a process that a role gives up: root's capabilities, and being looked into."""

import ctypes
import errno
import os

# prctl(2), capabilities(7).
_PR_SET_DUMPABLE = 4
_PR_CAPBSET_DROP = 24
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_VERSION_3 = 0x20080522
CAPABILITIES_MAX = 64  # that the sets have room for


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    """Effective, permitted and inheritable: the lower 32 capabilities, then the upper ones."""

    _fields_ = (("words", ctypes.c_uint32 * 6),)


def drop_capabilities() -> None:
    """Give up every capability for good; root is then a user like any other, but for its files.

    Raises OSError if the kernel refuses.
    """
    library = ctypes.CDLL(None, use_errno=True)
    for number in range(CAPABILITIES_MAX):
        # EPERM: only a process with CAP_SETPCAP may, and no other can gain anything from the set,
        # since it cannot run programs. EINVAL: this kernel has no more.
        if library.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0) != 0 and ctypes.get_errno() == errno.EINVAL:
            break
    library.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    header, held = _Header(_VERSION_3, 0), _Sets()
    _checked(library.capget(ctypes.byref(header), ctypes.byref(held)))
    if any(held.words):  # else a sandbox around us may forbid to set them
        _checked(library.capset(ctypes.byref(header), ctypes.byref(_Sets())))


def _checked(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def forbid_looking_in() -> None:
    """Keep other processes of the same user from reading this one's memory, where keys are, and the
    kernel from writing it to a core file. Root still may: a debugger or profiler needs it.
    """
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
