"""The TCP ports of this machine on which programs listen, from the kernel (Linux, proc(5))."""

import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from ipaddress import ip_address

from secondpost.mail.address import Endpoint
from secondpost.setup.surroundings import OURS, PortHolder

PROC = "/proc"
_LISTENING = "0A"  # TCP_LISTEN
_SOCKET = re.compile(r"socket:\[(\d+)\]")


def port_holders(proc: str = PROC) -> tuple[PortHolder, ...]:
    """All of them. The programs of other users can be seen by root alone."""
    found = list(_listening(proc))
    if len(found) == 0:
        return ()
    programs = _programs(proc, {inode for _, inode in found})
    return tuple(PortHolder(endpoint, programs.get(inode, "")) for endpoint, inode in found)


def running(names: frozenset[str], proc: str = PROC) -> frozenset[str]:
    """Those of these programs that run; any user can see them."""
    return names & {program_name(proc, pid) for pid in _processes(proc)}


def _listening(proc: str) -> Iterator[tuple[Endpoint, str]]:
    """Each endpoint, with the inode of its socket."""
    for table in ("net/tcp", "net/tcp6"):
        for line in _text(f"{proc}/{table}").splitlines()[1:]:
            words = line.split()
            if len(words) > 9 and words[3] == _LISTENING:
                yield _endpoint(words[1]), words[9]


def _endpoint(written: str) -> Endpoint:
    """An address as the kernel prints it: 32-bit words in this machine's byte order."""
    host, _, port = written.partition(":")
    octets = bytes.fromhex(host)
    words = (octets[start : start + 4] for start in range(0, len(octets), 4))
    packed = b"".join(word[::-1] if sys.byteorder == "little" else word for word in words)
    return Endpoint(str(ip_address(packed)), int(port, 16))


def _programs(proc: str, inodes: set[str]) -> Mapping[str, str]:
    """The program that holds each socket."""
    holders: dict[str, str] = {}
    for pid in _processes(proc):
        for inode in inodes & _sockets(f"{proc}/{pid}/fd"):
            holders.setdefault(inode, program_name(proc, pid))
    return holders


def _sockets(folder: str) -> set[str]:
    """The inodes of a process's sockets; none if it is another user's, or has ended."""
    inodes = set()
    with suppress(OSError):
        for name in os.listdir(folder):
            with suppress(FileNotFoundError):  # closed meanwhile
                match = _SOCKET.fullmatch(os.readlink(f"{folder}/{name}"))
                if match is not None:
                    inodes.add(match[1])
    return inodes


def program_name(proc: str, pid: str) -> str:
    """The name of a process's program; ours, whichever way it was started."""
    name = _text(f"{proc}/{pid}/comm").strip()
    if name.startswith("python"):
        words = _text(f"{proc}/{pid}/cmdline").split("\0")
        if any(os.path.basename(word) == OURS for word in words):
            return OURS
    return name


def _processes(proc: str) -> list[str]:
    try:
        return [name for name in os.listdir(proc) if name.isdecimal()]
    except OSError:
        return []


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
