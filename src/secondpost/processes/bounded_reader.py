"""The frame of a process that only reads documents of strangers for a role.

Its standard input is a socket to the role, which sends documents and gets answers. It has no network
and no file but Python's modules, and the memory and the processor time of a document are bounded: past
them it ends, and the role starts another for the next document.
"""

import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from socket import socket

from secondpost.processes.walls import raise_maker_walls
from secondpost.world.real.workshop import serve_orders

OUT_OF_MEMORY = 3  # exit code


@dataclass(frozen=True, slots=True)
class ReaderBounds:
    memory_octets: int  # of address space, with the interpreter and its libraries
    cpu_seconds: int  # per document


def serve_documents(read: Callable[[bytes], bytes], bounds: ReaderBounds) -> int:
    """Answer documents until the role closes its end; returns the exit code."""

    def answer(order: bytes) -> bytes:
        _allow(bounds.cpu_seconds)
        return read(order)

    def opened(_opening: bytes) -> Callable[[bytes], bytes]:
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (_at_most(bounds.memory_octets, hard), hard))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        raise_maker_walls()
        return answer

    for number in (signal.SIGINT, signal.SIGTERM):
        # The role finishes what is under way, and needs this process for it.
        signal.signal(number, signal.SIG_IGN)
    try:
        serve_orders(socket(fileno=sys.stdin.fileno()), opened)
    except MemoryError:  # the role words it for the owner
        return OUT_OF_MEMORY
    return 0


def _allow(cpu_seconds: int) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    seconds = int(used.ru_utime + used.ru_stime) + cpu_seconds
    resource.setrlimit(resource.RLIMIT_CPU, (_at_most(seconds, hard), hard))  # past it: SIGXCPU


def _at_most(wanted: int, hard: int) -> int:
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
