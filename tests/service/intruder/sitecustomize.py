"""Hostile code inside a process of the service, put there by a test and not by a switch of the product.

Python imports a module of this name when it starts. It waits for a signal; then it tries everything that
`targets.json`, beside it, names, and writes to standard error what came of each attempt: `done`, or the
name of the error. What could hurt the process itself is tried in a forked child.
"""

import ctypes
import errno
import fcntl
import json
import mmap
import os
import platform
import signal
import socket
import stat
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import FrameType

DONE = "done"
WORD = "INTRUDER"
START_SECONDS_MAX = 10.0  # of a process that is started
EMPTY_FRAME = bytes(4)  # its length alone
SILENCE_SECONDS = 2.0
X86_64 = platform.machine() == "x86_64"
AF_VSOCK, MSG_FASTOPEN, PTRACE_SEIZE, CLONE_NEWUSER = 40, 0x20000000, 0x4206, 0x10000000
SYSCALLS = {
    "io_uring_setup": (425, 425),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "perf_event_open": (298, 241),
    "keyctl": (250, 219),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "execve": (59, 221),
    "execveat": (322, 281),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "clone": (56, 220),
}
Attempt = Callable[[], object]
library = ctypes.CDLL(None, use_errno=True)


class Targets:
    """What the test names, as JSON."""

    def __init__(self, read: dict[str, str | int | dict[str, str]]) -> None:
        self._read = read

    def text(self, name: str) -> str:
        return str(self._read[name])

    def number(self, name: str) -> int:
        return int(self.text(name))

    def files(self) -> dict[str, str]:
        found = self._read["files"]
        assert isinstance(found, dict)
        return found


def outcome(attempt: Attempt) -> str:
    try:
        attempt()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, type(error).__name__)
    except LookupError as error:
        return type(error).__name__
    return DONE


def in_a_child(attempt: Attempt) -> Attempt:
    """Try it where success, such as another program in this process, hurts nothing; in this process
    itself if there can be no child.
    """

    def forked() -> None:
        ours, theirs = os.pipe()
        try:
            child = os.fork()
        except PermissionError:
            os.close(ours)
            os.close(theirs)
            attempt()
            return
        if child == 0:
            with suppress(BaseException):
                os.write(theirs, outcome(attempt).encode())
            os._exit(0)
        os.close(theirs)
        with open(ours, "rb") as pipe:
            said = pipe.read().decode()
        if os.WIFSIGNALED(os.waitpid(child, 0)[1]):
            raise ChildProcessError(errno.ECHILD, "it was killed")
        # A program that was run says nothing any more, and closes the pipe.
        if said not in (DONE, ""):
            raise OSError(getattr(errno, said), said)

    return forked


def syscall(name: str, *arguments: object) -> int:
    words = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    result: int = library.syscall(ctypes.c_long(SYSCALLS[name][0 if X86_64 else 1]), *words)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def read(path: str) -> None:
    with open(path, "rb", buffering=0) as file:
        file.read(1)


def open_only(path: str) -> None:
    os.close(os.open(path, os.O_RDONLY))


def append(path: str) -> None:
    with open(path, "ab"):
        pass


def create(path: str) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    os.unlink(path)


def by_link(make: Callable[[str, str], None], path: str, room: str) -> None:
    """Bring a file into a folder of ours, and read it there."""
    here = f"{room}/intruder"
    make(path, here)
    try:
        read(here)
    finally:
        os.unlink(here)


def move(path: str, room: str) -> None:
    os.rename(path, f"{room}/intruder")
    os.rename(f"{room}/intruder", path)


def read_again(path: str) -> None:
    """By a descriptor that was opened without any right."""
    place = os.open(path, os.O_PATH)
    try:
        read(f"/proc/self/fd/{place}")
    finally:
        os.close(place)


def file_attempts(targets: Targets) -> dict[str, Attempt]:
    tried: dict[str, Attempt] = {}
    for name, path in targets.files().items():
        tried[f"read {name}"] = partial(read, path)
        tried[f"write {name}"] = partial(append, path)
    secret, room = targets.text("secret"), targets.text("room")
    return tried | {
        "read by O_PATH": partial(read_again, secret),
        "read by link": partial(by_link, os.link, secret, room),
        "read by symlink": partial(by_link, os.symlink, secret, room),
        "rename into the room": partial(move, secret, room),
        "truncate": partial(os.truncate, secret, 100_000),
        "chmod": partial(os.chmod, secret, 0o600),
        "chown": partial(os.chown, secret, -1, os.getgid()),
        "setxattr": partial(os.setxattr, secret, "user.intruder", b"1"),
        "list /": partial(os.listdir, "/"),
        "create in the store": partial(create, targets.text("store") + "/intruder"),
        "create in /tmp": partial(create, "/tmp/intruder"),
        "create in the room": partial(create, room + "/intruder"),
        "open memory of another role": partial(open_only, f"/proc/{targets.number('other')}/mem"),
        "read environment of another role": partial(read, f"/proc/{targets.number('other')}/environ"),
        "open memory of the supervisor": partial(open_only, f"/proc/{targets.number('supervisor')}/mem"),
    }


def program_in_memory() -> int:
    descriptor = os.memfd_create("intruder")
    os.write(descriptor, TRUE)
    return descriptor


def script(room: str) -> None:
    path = f"{room}/intruder.sh"
    with open(path, "w") as file:
        file.write("#!/bin/sh\nexit 0\n")
        os.fchmod(file.fileno(), 0o700)
    try:
        os.execv(path, [path])
    finally:
        os.unlink(path)


def by_shell() -> None:
    if os.system("true") != 0:
        raise PermissionError(errno.EPERM, "no shell")


def spawned() -> None:
    os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)


def execveat() -> None:
    arguments = (ctypes.c_char_p * 2)(b"true", None)
    empty = ctypes.create_string_buffer(b"")
    syscall("execveat", program_in_memory(), empty, arguments, None, 0x1000)


def program_attempts(targets: Targets) -> dict[str, Attempt]:
    python, loader = sys.executable, "/lib64/ld-linux-x86-64.so.2"
    return {
        "run sh": in_a_child(partial(os.execv, "/bin/sh", ["sh", "-c", "exit 0"])),
        "run python": in_a_child(partial(os.execv, python, [python, "-S", "-c", "pass"])),
        "run by the loader": in_a_child(partial(os.execv, loader, [loader, "/bin/true"])),
        "run from memory": in_a_child(lambda: os.execve(program_in_memory(), ["true"], {})),
        "run by execveat": in_a_child(execveat),
        "run a script in the room": in_a_child(partial(script, targets.text("room"))),
        "run by system": by_shell,
        "run by posix_spawn": spawned,
        "run by subprocess": partial(subprocess.run, ["/bin/true"], check=True),
    }


def connect(family: int, address: "str | tuple[str, int]") -> None:
    with socket.socket(family, socket.SOCK_STREAM) as caller:
        caller.settimeout(SILENCE_SECONDS)
        caller.connect(address)


def send(family: int, address: tuple[str, int]) -> None:
    with socket.socket(family, socket.SOCK_DGRAM) as caller:
        caller.sendto(b"intruder", address)


def open_socket(family: int, kind: int, protocol: int = 0) -> None:
    socket.socket(family, kind, protocol).close()


def listen(port: int) -> None:
    with socket.socket() as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind(("127.0.0.1", port))


def caller_s_socket() -> socket.socket:
    """A copy of a connection that a client made to this role."""
    for descriptor in range(3, 512):
        with suppress(OSError):
            if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                one = socket.socket(fileno=os.dup(descriptor))
                if one.family == socket.AF_INET and len(one.getpeername()) == 2:
                    one.settimeout(SILENCE_SECONDS)
                    return one
    raise LookupError("no client is connected")


def disconnected() -> socket.socket:
    """A caller's connection, made free for a connection of ours."""
    used = caller_s_socket()
    nowhere = ctypes.create_string_buffer(16)  # AF_UNSPEC
    if library.connect(used.fileno(), nowhere, 16) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return used


def connect_by_a_caller_s_socket(port: int) -> None:
    with disconnected() as used:
        used.connect(("127.0.0.1", port))


def send_by_a_caller_s_socket(port: int) -> None:
    with disconnected() as used:
        used.sendto(b"intruder", MSG_FASTOPEN, ("127.0.0.1", port))


def network_attempts(targets: Targets) -> dict[str, Attempt]:
    port = targets.number("port")
    four, six = ("127.0.0.1", port), ("::1", port)
    return {
        "connect by TCP over IPv4": partial(connect, socket.AF_INET, four),
        "connect by TCP over IPv6": partial(connect, socket.AF_INET6, six),
        "send by UDP over IPv4": partial(send, socket.AF_INET, four),
        "send by UDP over IPv6": partial(send, socket.AF_INET6, six),
        "listen": partial(listen, targets.number("free_port")),
        "raw socket": partial(open_socket, socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
        "packet socket": partial(open_socket, socket.AF_PACKET, socket.SOCK_RAW),
        "vsock": partial(open_socket, AF_VSOCK, socket.SOCK_STREAM),
        "netlink of the audit": partial(open_socket, socket.AF_NETLINK, socket.SOCK_RAW, 9),
        "abstract Unix socket": partial(connect, socket.AF_UNIX, "\0" + targets.text("abstract")),
        "Unix socket": in_a_child(partial(open_socket, socket.AF_UNIX, socket.SOCK_STREAM)),
    }


def called(name: str, *arguments: object) -> Attempt:
    return in_a_child(partial(syscall, name, *arguments))


def look_into(pid: int) -> None:
    word = ctypes.create_string_buffer(8)
    ours = (ctypes.c_void_p * 2)(ctypes.addressof(word), 8)
    theirs = (ctypes.c_void_p * 2)(id(library), 8)
    syscall("process_vm_readv", pid, ours, 1, theirs, 1, 0)


def another_abi() -> None:
    """getpid(2) by the door of 32-bit programs; kills where the kernel has none."""
    if os.getpid() == PROCESS:
        raise ChildProcessError(errno.ECHILD, "there is no child to try it in")
    code = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(bytes.fromhex("b814000000cd80c3"))  # mov eax, 20; int 0x80; ret
    where = ctypes.addressof(ctypes.c_char.from_buffer(code))
    result = ctypes.CFUNCTYPE(ctypes.c_int)(where)()
    if result < 0:
        raise OSError(-result, os.strerror(-result))


def child() -> None:
    number = os.fork()
    if number == 0:
        os._exit(0)
    os.waitpid(number, 0)


def signal_by_a_socket(pid: int) -> None:
    """Have the kernel signal another process when something comes."""
    with socket.socket(socket.AF_UNIX) as end:
        fcntl.fcntl(end, fcntl.F_SETOWN, pid)


def x32() -> None:
    """getpid(2) by the door of the x32 ABI."""
    if library.syscall(ctypes.c_long(0x40000000 | 39)) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def new_namespace() -> None:
    if syscall("clone", CLONE_NEWUSER | signal.SIGCHLD, 0, 0, 0, 0) == 0:
        os._exit(0)


def kernel_attempts(targets: Targets) -> dict[str, Attempt]:
    other, supervisor = targets.number("other"), targets.number("supervisor")
    parameters = ctypes.create_string_buffer(128)
    shell = ctypes.create_string_buffer(b"/bin/sh")
    array = ctypes.create_string_buffer(struct.pack("=IIII", 2, 4, 4, 1), 128)  # for BPF_MAP_CREATE
    tried: dict[str, Attempt] = {
        "signal another role": partial(os.kill, other, 0),
        "signal the supervisor": partial(os.kill, supervisor, 0),
        "signal by pidfd": lambda: syscall("pidfd_send_signal", os.pidfd_open(other), 0, None, 0),
        "signal by a socket": partial(signal_by_a_socket, other),
        "fork": child,
        "ptrace": called("ptrace", PTRACE_SEIZE, other, 0, 0),
        "process_vm_readv": in_a_child(partial(look_into, other)),
        "pidfd_getfd": in_a_child(lambda: syscall("pidfd_getfd", os.pidfd_open(other), 0, 0)),
        "io_uring": called("io_uring_setup", 8, parameters),
        "bpf": called("bpf", 0, array, len(array)),
        "userfaultfd": called("userfaultfd", 1),
        "keyctl": called("keyctl", 0, -3, 1),
        "new namespace": in_a_child(new_namespace),
        "unshare": called("unshare", CLONE_NEWUSER),
        "chroot": in_a_child(partial(os.chroot, "/")),
        "mount": called("mount", shell, shell, shell, 4096, None),
    }
    if X86_64:
        tried["x32"] = in_a_child(x32)
        tried["int 0x80"] = in_a_child(another_abi)
    return tried


def ask_the_supervisor(path: str) -> None:
    with socket.socket(fileno=os.dup(int(os.environ["SECONDPOST_FILES"]))) as end:
        end.settimeout(SILENCE_SECONDS)
        end.send(path.encode())
        answer, descriptors, _, _ = socket.recv_fds(end, 100, 1)
    if len(descriptors) == 0:
        raise OSError(int(answer), os.strerror(int(answer)))
    os.close(descriptors[0])


def ask_for_a_signer() -> None:
    """It takes orders if it lives, and ends at an empty start-up message; the feed reader, the one
    program that fetch may have started, answers that with an empty frame.
    """
    ours, theirs = socket.socketpair()
    with socket.socket(fileno=os.dup(int(os.environ["SECONDPOST_TETHER"]))) as tether, ours:
        with theirs:
            socket.send_fds(tether, [b"make 990"], [theirs.fileno()])
        ours.settimeout(SILENCE_SECONDS)
        with suppress(TimeoutError):
            if ours.recv(1) == b"":
                raise PermissionError(errno.EPERM, "none was started")
        ours.settimeout(START_SECONDS_MAX)
        ours.sendall(EMPTY_FRAME)
        if ours.recv(len(EMPTY_FRAME)) == EMPTY_FRAME:
            raise PermissionError(errno.EPERM, "it parses feeds")


def ask_to_reload(store: str) -> None:
    with socket.socket(socket.AF_UNIX) as end:
        end.settimeout(SILENCE_SECONDS)
        end.connect(f"{store}/service.socket")
        end.sendall(b"reload\n")
        if end.recv(1) == b"":
            raise PermissionError(errno.EPERM, "it is not answered")


def supervisor_attempts(targets: Targets) -> dict[str, Attempt]:
    if "SECONDPOST_FILES" not in os.environ:
        return {}
    asked = {f"ask for {name}": partial(ask_the_supervisor, path) for name, path in targets.files().items()}
    reload = partial(ask_to_reload, targets.text("store"))
    return {**asked, "ask for a signing process": ask_for_a_signer, "ask to reload": reload}


def last_attempts(targets: Targets) -> dict[str, Attempt]:
    port = targets.number("port")
    return {
        "connect by a caller's socket": partial(connect_by_a_caller_s_socket, port),
        "send by a caller's socket": partial(send_by_a_caller_s_socket, port),
    }


def everything(targets: Targets) -> dict[str, str]:
    attempts = {
        **file_attempts(targets),
        **program_attempts(targets),
        **network_attempts(targets),
        **kernel_attempts(targets),
        **supervisor_attempts(targets),
        **last_attempts(targets),
    }
    return {name: outcome(attempt) for name, attempt in attempts.items()}


def strike(_number: int = 0, _frame: FrameType | None = None) -> None:
    targets = Targets(json.loads((Path(__file__).parent / "targets.json").read_text()))
    found = everything(targets)
    # Another thread could have other rights.
    thread = threading.Thread(target=lambda: found.update(in_a_thread(targets)))
    thread.start()
    thread.join()
    os.write(2, f"\n{WORD} {json.dumps(found)}\n".encode())


def in_a_thread(targets: Targets) -> dict[str, str]:
    tried = {**file_attempts(targets), **network_attempts(targets)}
    return {f"thread: {name}": outcome(attempt) for name, attempt in tried.items()}


# Read before any wall stands.
TRUE = Path("/bin/true").read_bytes()
PROCESS = os.getpid()
signal.signal(signal.SIGUSR1, strike)
if __name__ == "__main__":
    strike()
