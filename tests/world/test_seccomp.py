"""The filter of system calls, run by an interpreter of classic BPF as the kernel runs it."""

import errno
import struct

import pytest

from secondpost.world.real.seccomp import ARCHITECTURES, Architecture, Sockets, filter_octets

US = 4711
ALLOWED, REFUSED, UNKNOWN = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
INSTRUCTIONS_MAX = 4096  # BPF_MAXINSNS
STEPS_MAX = 16  # for a call that passes
UNIX, INET, INET6, NETLINK, PACKET = 1, 2, 10, 16, 17
FASTOPEN = 0x20000000
# read, write, openat, close, mmap, futex, epoll_wait or epoll_pwait, sendto, recvfrom, fsync, accept4
COMMON = {
    "x86_64": (0, 1, 257, 3, 9, 202, 232, 44, 45, 74, 288),
    "aarch64": (63, 64, 56, 57, 222, 98, 22, 206, 207, 82, 242),
}
NUMBERS = {
    "x86_64": {
        "execve": 59,
        "execveat": 322,
        "ptrace": 101,
        "process_vm_readv": 310,
        "bpf": 321,
        "mount": 165,
        "keyctl": 250,
        "userfaultfd": 323,
        "perf_event_open": 298,
        "io_uring_setup": 425,
        "kexec_load": 246,
        "init_module": 175,
        "finit_module": 313,
        "unshare": 272,
        "setns": 308,
        "kill": 62,
        "fork": 57,
        "vfork": 58,
        "sched_setscheduler": 144,
        "fsetxattr": 190,
        "chmod": 90,
        "socket": 41,
        "socketpair": 53,
        "clone": 56,
        "clone3": 435,
        "tgkill": 234,
        "prlimit": 302,
        "ioctl": 16,
        "fcntl": 72,
        "sendto": 44,
        "sendmsg": 46,
        "sendmmsg": 307,
    },
    "aarch64": {
        "execve": 221,
        "execveat": 281,
        "ptrace": 117,
        "process_vm_readv": 270,
        "bpf": 280,
        "mount": 40,
        "keyctl": 219,
        "userfaultfd": 282,
        "perf_event_open": 241,
        "io_uring_setup": 425,
        "kexec_load": 104,
        "init_module": 105,
        "finit_module": 273,
        "unshare": 97,
        "setns": 268,
        "kill": 129,
        "sched_setscheduler": 119,
        "fsetxattr": 7,
        "chmod": 53,
        "socket": 198,
        "socketpair": 199,
        "clone": 220,
        "clone3": 435,
        "tgkill": 131,
        "prlimit": 261,
        "ioctl": 29,
        "fcntl": 25,
        "sendto": 206,
        "sendmsg": 211,
        "sendmmsg": 269,
    },
}
# Of these the arguments decide.
LOOKED_AT = (
    "socket",
    "socketpair",
    "clone",
    "clone3",
    "tgkill",
    "prlimit",
    "ioctl",
    "fcntl",
    "sendto",
    "sendmsg",
    "sendmmsg",
)
NEVER = {machine: [name for name in numbers if name not in LOOKED_AT] for machine, numbers in NUMBERS.items()}


class Machine:
    """Runs a filter; `steps` of the last run."""

    def __init__(self, name: str, sockets: Sockets) -> None:
        self.architecture: Architecture = ARCHITECTURES[name]
        octets = filter_octets(self.architecture, sockets, US)
        self.program = list(struct.iter_unpack("=HBBI", octets))
        self.steps = 0

    def answer(self, number: int, *arguments: int, audit: int | None = None) -> int:
        arch = self.architecture.audit if audit is None else audit
        data = struct.pack("=IIQ6Q", number, arch, 0, *arguments, *(0,) * (6 - len(arguments)))
        at = accumulator = self.steps = 0
        while True:
            code, yes, no, k = self.program[at]
            self.steps += 1
            at += 1
            match code:
                case 0x20:
                    accumulator = struct.unpack_from("=I", data, k)[0]
                case 0x05:
                    at += k
                case 0x06:
                    return int(k)
                case 0x15:
                    at += yes if accumulator == k else no
                case 0x35:
                    at += yes if accumulator >= k else no
                case 0x45:
                    at += yes if accumulator & k != 0 else no
                case _:
                    raise AssertionError(f"instruction {code:#x} is not among ours")


@pytest.fixture(params=ARCHITECTURES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("sockets", Sockets)
def test_no_program_is_run_and_no_other_process_is_touched_whatever_the_sockets(
    name: str, sockets: Sockets
) -> None:
    machine = Machine(name, sockets)
    assert len(machine.program) < INSTRUCTIONS_MAX
    never = NEVER[name]
    assert {word: machine.answer(NUMBERS[name][word]) for word in never} == dict.fromkeys(never, REFUSED)


@pytest.mark.parametrize("sockets", Sockets)
def test_common_calls_pass_in_a_few_steps(name: str, sockets: Sockets) -> None:
    machine = Machine(name, sockets)
    for number in COMMON[name]:
        assert machine.answer(number) == ALLOWED
        assert machine.steps <= STEPS_MAX


def test_calls_that_are_not_in_the_tables_pass(name: str) -> None:
    """A new C library may make new calls."""
    assert Machine(name, Sockets.LOCAL).answer(500) == ALLOWED
    assert Machine(name, Sockets.LOCAL).answer(0x3FFFFFFF) == ALLOWED


@pytest.mark.parametrize(
    ("sockets", "families"),
    [(Sockets.NO, ()), (Sockets.LOCAL, (UNIX,)), (Sockets.INTERNET, (UNIX, INET, INET6, NETLINK))],
)
def test_only_the_families_of_a_role_can_be_opened(
    name: str, sockets: Sockets, families: tuple[int, ...]
) -> None:
    machine, number = Machine(name, sockets), NUMBERS[name]["socket"]
    passing = [family for family in range(60) if machine.answer(number, family) == ALLOWED]
    assert tuple(passing) == families
    assert machine.answer(number, NETLINK, 3, 9) == REFUSED
    # The kernel takes the lower 32 bits alone.
    assert machine.answer(number, (1 << 32) | PACKET) == REFUSED
    pairs = [family for family in range(60) if machine.answer(NUMBERS[name]["socketpair"], family) == ALLOWED]
    assert pairs == ([] if sockets is Sockets.NO else [UNIX])


def test_a_connection_is_not_made_by_sending(name: str) -> None:
    numbers = NUMBERS[name]
    for sockets, answer in ((Sockets.LOCAL, REFUSED), (Sockets.INTERNET, ALLOWED)):
        machine = Machine(name, sockets)
        assert machine.answer(numbers["sendto"], 5, 0, 0, FASTOPEN | 0x40) == answer
        assert machine.answer(numbers["sendmsg"], 5, 0, FASTOPEN | 0x40) == answer
        assert machine.answer(numbers["sendmmsg"], 5, 0, 1, FASTOPEN | 0x40) == answer
        assert machine.answer(numbers["sendto"], 5, 0, 0, 0x4040) == ALLOWED


def test_threads_are_made_and_processes_and_namespaces_are_not(name: str) -> None:
    machine, number = Machine(name, Sockets.LOCAL), NUMBERS[name]["clone"]
    thread = 0x3D0F00  # of the C library
    assert machine.answer(number, thread) == ALLOWED
    assert machine.answer(number, 0x01200011) == REFUSED  # its fork
    for flag in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
        assert machine.answer(number, flag | thread) == REFUSED
    assert machine.answer(NUMBERS[name]["clone3"]) == UNKNOWN


def test_only_the_process_itself_is_aborted_and_limited(name: str) -> None:
    machine, numbers = Machine(name, Sockets.LOCAL), NUMBERS[name]
    assert machine.answer(numbers["tgkill"], US, US, 6) == ALLOWED
    assert machine.answer(numbers["tgkill"], US + 1, US + 1, 6) == REFUSED
    assert [machine.answer(numbers["prlimit"], pid) for pid in (0, US, 1)] == [ALLOWED, ALLOWED, REFUSED]


def test_nothing_is_typed_into_a_terminal(name: str) -> None:
    machine, number = Machine(name, Sockets.LOCAL), NUMBERS[name]["ioctl"]
    assert [machine.answer(number, 0, request) for request in (0x5412, 0x541C)] == [REFUSED, REFUSED]
    assert machine.answer(number, 0, 0x5413) == ALLOWED  # the size of the window


def test_the_kernel_signals_no_other_process_for_ours(name: str) -> None:
    machine, numbers = Machine(name, Sockets.LOCAL), NUMBERS[name]
    owners = [request for request in range(40) if machine.answer(numbers["fcntl"], 3, request) == REFUSED]
    assert owners == [8, 10, 15]
    assert [machine.answer(numbers["ioctl"], 3, request) for request in (0x8901, 0x8902)] == [REFUSED] * 2
    assert machine.answer(numbers["ioctl"], 3, 0x5421) == ALLOWED  # FIONBIO


def test_calls_of_another_architecture_are_refused(name: str) -> None:
    machine = Machine(name, Sockets.INTERNET)
    others = {one.audit for one in ARCHITECTURES.values()} - {machine.architecture.audit}
    for audit in (*others, 0x40000003, 0x40000028):  # 32-bit x86 and ARM
        assert machine.answer(COMMON[name][0], audit=audit) == REFUSED
    if machine.architecture.has_x32:
        assert machine.answer(0x40000000) == REFUSED
