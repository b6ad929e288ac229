"""seccomp: this process gives up system calls that it never makes, in all its threads and for good.

A filter is a small program that the kernel runs before each call (seccomp(2), classic BPF). Ours
answers a refused call with EPERM, as if a right were missing, so that a library that only tries it
goes on. All other calls pass: a list of the allowed ones would have to follow every new C library.

The program looks at the call's number first, by halving the sorted list; only a few calls are looked
at closer. Since Linux 5.11 the kernel remembers which numbers pass without a look at their arguments,
and does not run the program for them at all.
"""

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

# prctl(2), seccomp(2); the flag gives the filter to all threads that run already.
_PR_GET_SECCOMP = 21
_SET_MODE_FILTER = 1
_FLAG_TSYNC = 1

# What the program answers.
_ALLOW = 0x7FFF0000
_REFUSE = 0x00050000 | errno.EPERM
_UNKNOWN = 0x00050000 | errno.ENOSYS

# struct seccomp_data: number, architecture, instruction pointer, six arguments of eight octets. On
# both architectures the lower half of an argument comes first.
_NUMBER_AT = 0
_ARCHITECTURE_AT = 4
_ARGUMENTS_AT = 16

# Classic BPF: load a word; skip instructions if equal, greater or equal, or any bit is set, or always;
# return.
_LOAD = 0x20
_JUMP_EQUAL = 0x15
_JUMP_AT_LEAST = 0x35
_JUMP_ANY_BIT = 0x45
_SKIP = 0x05
_RETURN = 0x06
_SKIPPED_MAX = 255  # by a conditional jump

_X32_BIT = 0x40000000  # calls of the x32 ABI, which count as x86-64 and have other numbers
_NEW_NAMESPACES = 0x7E020000 | 0x00000080  # CLONE_NEWNS … CLONE_NEWNET, CLONE_NEWTIME
_THREAD = 0x00010000  # CLONE_THREAD
# By these the kernel signals another process when something comes to a socket: F_SETOWN, F_SETSIG and
# F_SETOWN_EX of fcntl(2), FIOSETOWN and SIOCSPGRP of ioctl(2).
_OWNERS = (8, 10, 15)
_OWNERS_BY_IOCTL = (0x8901, 0x8902)
_MSG_FASTOPEN = 0x20000000  # connects without connect(2)
_TIOCSTI = 0x5412  # types into the terminal
_TIOCLINUX = 0x541C

_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK = 1, 2, 10, 16
_NETLINK_ROUTE = 0  # the addresses of this machine


@dataclass(frozen=True, slots=True)
class Architecture:
    audit: int  # AUDIT_ARCH_…
    call: int  # the number of seccomp(2) itself
    column: int  # in the tables below
    has_x32: bool = False


ARCHITECTURES: Mapping[str, Architecture] = {
    "x86_64": Architecture(0xC000003E, 317, 0, has_x32=True),
    "aarch64": Architecture(0xC00000B7, 277, 1),
}


class Sockets(IntEnum):
    """Which sockets a process may still open."""

    NO = 0
    LOCAL = 1  # Unix sockets
    INTERNET = 2  # and those of TCP and UDP


# Refused outright: the numbers on x86-64 and on ARM64; 0 where it does not exist.
_REFUSED: Mapping[str, tuple[int, int]] = {
    # Running a program, and another process, which would outlive the service; for threads there is
    # clone(2), looked at below.
    "execve": (59, 221),
    "execveat": (322, 281),
    "fork": (57, 0),
    "vfork": (58, 0),
    # Looking into other processes, and taking from them.
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    "perf_event_open": (298, 241),
    # Signals to others; tgkill, by which a process aborts, is looked at below.
    "kill": (62, 129),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "pidfd_send_signal": (424, 424),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
    # System calls past this filter.
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    # Large and seldom used parts of the kernel.
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "msgget": (68, 186),
    "semget": (64, 190),
    "personality": (135, 92),
    "modify_ldt": (154, 0),
    "iopl": (172, 0),
    "ioperm": (173, 0),
    "uselib": (134, 0),
    "remap_file_pages": (216, 234),
    "move_pages": (279, 239),
    "migrate_pages": (256, 238),
    "syslog": (103, 116),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "fanotify_init": (300, 262),
    "lookup_dcookie": (212, 18),
    "vhangup": (153, 58),
    # Another view of the file system, or a way to files past their folders.
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "open_by_handle_at": (304, 265),
    "unshare": (272, 97),
    "setns": (308, 268),
    # Modes and owners by path: Landlock does not look at these. fchmod(2), of an open file, stays.
    "chmod": (90, 0),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, 0),
    "lchown": (94, 0),
    "fchownat": (260, 54),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "setxattrat": (463, 463),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "removexattrat": (466, 466),
    "file_setattr": (469, 469),
    # The machine.
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
}
# Looked at closer.
_SOCKET = (41, 198)
_SOCKETPAIR = (53, 199)
_CLONE = (56, 220)
_CLONE3 = (435, 435)
_TGKILL = (234, 131)
_PRLIMIT = (302, 261)
_IOCTL = (16, 29)
_FCNTL = (72, 25)
# Calls with flags in which MSG_FASTOPEN can stand, and the place of the flags.
_SENDS = (((44, 206), 3), ((46, 211), 2), ((307, 269), 3))


class SeccompRefused(Exception):
    """The kernel has seccomp and did not take the filter. The text says why."""


@dataclass(frozen=True, slots=True)
class _Instruction:
    code: int
    k: int
    yes: int = 0  # how many instructions to skip if the jump's condition holds
    no: int = 0

    def octets(self) -> bytes:
        return struct.pack("=HBBI", self.code, self.yes, self.no, self.k)


_Program: TypeAlias = tuple[_Instruction, ...]

_ANSWER_ALLOW: _Program = (_Instruction(_RETURN, _ALLOW),)
_ANSWER_REFUSE: _Program = (_Instruction(_RETURN, _REFUSE),)
_ANSWER_UNKNOWN: _Program = (_Instruction(_RETURN, _UNKNOWN),)


def filter_octets(architecture: Architecture, sockets: Sockets, process: int) -> bytes:
    """The program for the process with this number."""
    return b"".join(one.octets() for one in _program(architecture, sockets, process))


def has_seccomp() -> bool:
    """Whether this kernel has seccomp, and we know this architecture."""
    library = ctypes.CDLL(None, use_errno=True)
    return platform.machine() in ARCHITECTURES and library.prctl(_PR_GET_SECCOMP, 0, 0, 0, 0) >= 0


def raise_filter(sockets: Sockets) -> None:
    """Irreversible, and stays in processes that are forked; `no_new_privs` must be set.

    Raises SeccompRefused, and OSError with EPERM where a sandbox around us forbids the call.
    """
    architecture = ARCHITECTURES[platform.machine()]
    octets = filter_octets(architecture, sockets, os.getpid())
    filter_ = ctypes.create_string_buffer(octets, len(octets))
    # struct sock_fprog, with the padding before its pointer.
    program = struct.pack("@HP", len(octets) // 8, ctypes.addressof(filter_))
    library = ctypes.CDLL(None, use_errno=True)
    call = ctypes.c_long(architecture.call)
    mode, flags = ctypes.c_long(_SET_MODE_FILTER), ctypes.c_long(_FLAG_TSYNC)
    result = library.syscall(call, mode, flags, program)
    if result == 0:
        return
    if result > 0:
        raise SeccompRefused(f"seccomp: thread {result} could not take the filter")
    error = ctypes.get_errno()
    if error == errno.EPERM:
        raise OSError(error, os.strerror(error))
    raise SeccompRefused(f"seccomp: the filter was not taken: {os.strerror(error)}")


def _program(architecture: Architecture, sockets: Sockets, process: int) -> _Program:
    """Check the architecture, whose numbers ours are, and then look the number up."""
    look_up = _halved(sorted(_answers(architecture, sockets, process).items()))
    if architecture.has_x32:
        look_up = _if(_JUMP_AT_LEAST, _X32_BIT, _ANSWER_REFUSE, look_up)
    by_number = (_Instruction(_LOAD, _NUMBER_AT), *look_up)
    # A call of another architecture, such as 32-bit x86 in a 64-bit process.
    checked = _if(_JUMP_EQUAL, architecture.audit, by_number, _ANSWER_REFUSE)
    return (_Instruction(_LOAD, _ARCHITECTURE_AT), *checked)


def _answers(architecture: Architecture, sockets: Sockets, process: int) -> Mapping[int, _Program]:
    """What is answered to each number that does not simply pass."""
    at = architecture.column
    answers = {numbers[at]: _ANSWER_REFUSE for numbers in _REFUSED.values() if numbers[at] != 0}
    answers[_SOCKET[at]] = _socket_answer(sockets)
    answers[_SOCKETPAIR[at]] = (
        _ANSWER_REFUSE if sockets is Sockets.NO else _only_if(0, (_AF_UNIX,), _ANSWER_ALLOW)
    )
    new_namespaces = _if(_JUMP_ANY_BIT, _NEW_NAMESPACES, _ANSWER_REFUSE, _ANSWER_ALLOW)
    only_threads = _if(_JUMP_ANY_BIT, _THREAD, new_namespaces, _ANSWER_REFUSE)
    answers[_CLONE[at]] = (_argument(0), *only_threads)
    # Its flags lie in memory, where a filter cannot look. Without it the C library takes clone(2).
    answers[_CLONE3[at]] = _ANSWER_UNKNOWN
    answers[_TGKILL[at]] = _only_if(0, (process,), _ANSWER_ALLOW)
    answers[_PRLIMIT[at]] = _only_if(0, (0, process), _ANSWER_ALLOW)
    answers[_FCNTL[at]] = _unless(1, _OWNERS)
    answers[_IOCTL[at]] = _unless(1, (_TIOCSTI, _TIOCLINUX, *_OWNERS_BY_IOCTL))
    if sockets is not Sockets.INTERNET:
        for numbers, flags_at in _SENDS:
            fast = _if(_JUMP_ANY_BIT, _MSG_FASTOPEN, _ANSWER_REFUSE, _ANSWER_ALLOW)
            answers[numbers[at]] = (_argument(flags_at), *fast)
    return answers


def _socket_answer(sockets: Sockets) -> _Program:
    match sockets:
        case Sockets.NO:
            return _ANSWER_REFUSE
        case Sockets.LOCAL:
            return _only_if(0, (_AF_UNIX,), _ANSWER_ALLOW)
        case Sockets.INTERNET:
            routes = _only_if(2, (_NETLINK_ROUTE,), _ANSWER_ALLOW)
            netlink = _if(_JUMP_EQUAL, _AF_NETLINK, routes, _ANSWER_REFUSE)
            families = (_AF_UNIX, _AF_INET, _AF_INET6)
            return (_argument(0), *_equal_to_any(families, _ANSWER_ALLOW, netlink))


def _only_if(argument: int, values: Sequence[int], then: _Program) -> _Program:
    """Refuse unless an argument has one of these values."""
    return (_argument(argument), *_equal_to_any(values, then, _ANSWER_REFUSE))


def _unless(argument: int, values: Sequence[int]) -> _Program:
    """Refuse if an argument has one of these values."""
    return (_argument(argument), *_equal_to_any(values, _ANSWER_REFUSE, _ANSWER_ALLOW))


def _equal_to_any(values: Sequence[int], then: _Program, otherwise: _Program) -> _Program:
    for value in reversed(values):
        otherwise = _if(_JUMP_EQUAL, value, then, otherwise)
    return otherwise


def _argument(number: int) -> _Instruction:
    """Load the lower half of an argument: the kernel takes these as 32-bit numbers."""
    return _Instruction(_LOAD, _ARGUMENTS_AT + 8 * number)


def _if(jump: int, value: int, then: _Program, otherwise: _Program) -> _Program:
    if len(then) <= _SKIPPED_MAX:
        return (_Instruction(jump, value, 0, len(then)), *then, *otherwise)
    return (_Instruction(jump, value, 1, 0), _Instruction(_SKIP, len(then)), *then, *otherwise)


def _halved(answers: Sequence[tuple[int, _Program]]) -> _Program:
    """Look the loaded number up among sorted ones."""
    if len(answers) == 1:
        number, answer = answers[0]
        return _if(_JUMP_EQUAL, number, answer, _ANSWER_ALLOW)
    middle = len(answers) // 2
    return _if(_JUMP_AT_LEAST, answers[middle][0], _halved(answers[middle:]), _halved(answers[:middle]))
