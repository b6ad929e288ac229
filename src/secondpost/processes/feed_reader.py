"""A process that only parses feeds: `python -m secondpost.processes.feed_reader`.

Its standard input is a socket to the fetch role, which sends documents and gets articles. It has no
network and no file but Python's modules, and the memory and the processor time of a document are
bounded: past them it ends, and the role starts another for the next document.
"""

import resource
import signal
import sys
from collections.abc import Callable
from socket import socket

import msgspec

from secondpost.mail.article import FeedAnswered
from secondpost.newsletter.feeds import read_feed
from secondpost.processes.walls import raise_maker_walls
from secondpost.protocols.feed_questions import answered_line
from secondpost.world.real.workshop import serve_orders

MEMORY_OCTETS_MAX = 1_024 * 1_024 * 1_024  # of address space, with the interpreter and its libraries
CPU_SECONDS_MAX = 20  # per document
OUT_OF_MEMORY = 3  # exit code


class FeedDocumentOrder(msgspec.Struct, frozen=True):
    """A document to parse. `url` is the one that answered, after all redirects."""

    body: bytes
    content_type: str
    url: str


def _opened(_opening: bytes) -> Callable[[bytes], bytes]:
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_at_most(MEMORY_OCTETS_MAX, hard), hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    raise_maker_walls()
    return _answer


def _answer(order: bytes) -> bytes:
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    seconds = int(used.ru_utime + used.ru_stime) + CPU_SECONDS_MAX
    resource.setrlimit(resource.RLIMIT_CPU, (_at_most(seconds, hard), hard))  # past it: SIGXCPU
    document = msgspec.msgpack.decode(order, type=FeedDocumentOrder)
    return answered_line(FeedAnswered(read_feed(document.body, document.content_type, document.url)))


def _at_most(wanted: int, hard: int) -> int:
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)


def main() -> int:
    for number in (signal.SIGINT, signal.SIGTERM):
        # The role finishes what is under way, and needs this process for it.
        signal.signal(number, signal.SIG_IGN)
    try:
        serve_orders(socket(fileno=sys.stdin.fileno()), _opened)
    except MemoryError:  # the role words it for the owner
        return OUT_OF_MEMORY
    return 0


if __name__ == "__main__":
    sys.exit(main())
