"""What the stations may expect of the world, one small port per thing.

asyncio is structure here (tasks, futures, timers), never I/O: timers are the running loop's own
(`call_later`), which leaps in simulation. Network protocols speak the transport/protocol pair of
asyncio, because a stream's awaits cost more than everything else on the hot path.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from secondpost.mail.address import Domain, Endpoint
from secondpost.mail.questions import AddressAnswer, MxAnswer, TxtAnswer

T = TypeVar("T")
ProtocolFactory = Callable[[], asyncio.Protocol]


class Clock(Protocol):
    """Wall time for what is stored and shown; the loop's own time for how long something takes."""

    def now_ms(self) -> int:
        """UTC, milliseconds since 1970. May step in either direction."""
        ...


class Dice(Protocol):
    """Every choice by chance, so that a seed can repeat it."""

    def fraction(self) -> float:
        """From 0 up to but not including 1."""
        ...

    def shuffled(self, things: Sequence[T]) -> list[T]: ...

    def token(self, octets: int) -> bytes:
        """Unguessable bytes."""
        ...


@dataclass(frozen=True, slots=True)
class ServerTls:
    """We are the server, with the certificate that the Net was made with."""


@dataclass(frozen=True, slots=True)
class ClientTls:
    """We are the client. `verify`: the handshake fails unless the certificate is valid for the name."""

    server_name: str
    verify: bool


@dataclass(frozen=True, slots=True)
class TlsFacts:
    version: str  # such as "TLSv1.3"
    cipher: str

    def __str__(self) -> str:
        return f"{self.version} {self.cipher}"


class Listening(Protocol):
    """An open door."""

    @property
    def endpoint(self) -> Endpoint:
        """Where it is, with the port that was really taken."""
        ...

    def close(self) -> None:
        """Take no new connections; those that stand go on."""
        ...


class NetError(Exception):
    """A connection or a TLS handshake did not come about. The text is fit for the log."""


class Net(Protocol):
    async def connect(
        self, factory: ProtocolFactory, endpoint: Endpoint, timeout_seconds: float
    ) -> asyncio.Transport:
        """Connect to an IP address. Raises NetError. The factory's protocol gets connection_made."""
        ...

    async def listen(self, factory: ProtocolFactory, endpoint: Endpoint) -> Listening:
        """Open a door, or take the inherited socket for that endpoint. Port 0 means any free one."""
        ...

    def own_addresses(self) -> frozenset[str]:
        """The IP addresses of this machine's interfaces, as str(ip_address) writes them."""
        ...

    @property
    def offers_tls(self) -> bool:
        """Whether a ServerTls handshake can succeed: there is a certificate."""
        ...

    async def start_tls(
        self,
        transport: asyncio.Transport,
        protocol: asyncio.Protocol,
        side: ServerTls | ClientTls,
        timeout_seconds: float,
    ) -> tuple[asyncio.Transport, TlsFacts]:
        """Wrap a connection; raises NetError and closes it. The protocol keeps being called with data,
        possibly before this returns: queue all input until the new transport is installed.
        """
        ...

    async def connect_local(
        self, factory: ProtocolFactory, path: str, timeout_seconds: float
    ) -> asyncio.Transport:
        """A Unix stream socket of another role. Raises NetError."""
        ...

    async def listen_local(self, factory: ProtocolFactory, path: str) -> Listening:
        """Mode 0600; a leftover of a dead process is replaced. `endpoint` means nothing here."""
        ...

    async def listen_hints(self, path: str, heard: Callable[[], None]) -> Listening:
        """A Unix datagram socket on which others say "look now". Several hints may come as one."""
        ...

    def hint(self, path: str) -> None:
        """Say "look now", without waiting. Never fails: correctness does not depend on hints."""
        ...


class Resolver(Protocol):
    """Names. Never raises: a failure is a finding."""

    async def mx(self, domain: Domain) -> MxAnswer:
        """By preference, equals in a random order."""
        ...

    async def addresses(self, host: str) -> AddressAnswer:
        """IPv6 and IPv4 together, in the order in which they should be tried."""
        ...

    async def txt(self, name: str) -> TxtAnswer: ...


@dataclass(frozen=True, slots=True)
class Validators:
    """What an earlier answer may be asked for again with. Opaque, and good for that URL alone: it is the
    one that answered, behind all redirects.
    """

    url: str
    etag: str = ""  # with its quotes, "" when there was none
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class Redirect:
    status: int  # 301, 302, 303, 307 or 308
    to: str


@dataclass(frozen=True, slots=True)
class Fetched:
    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes  # decoded; empty after 304
    url: str = ""  # that answered, behind all redirects
    redirects: tuple[Redirect, ...] = ()


class FetchError(Exception):
    """No answer, a refused address, or more than was allowed. The text is fit for the log."""


class Fetcher(Protocol):
    async def get(
        self, url: str, headers: Mapping[str, str], octets_max: int, validators: Validators | None = None
    ) -> Fetched:
        """Whatever the status; redirects are followed. Raises FetchError, and nothing else."""
        ...


class Work(Protocol):
    """Work in other threads. In simulation it runs in line and completes after a virtual delay."""

    def run(self, job: Callable[[], T]) -> Awaitable[T]:
        """In a pool, beside other jobs. A job started is finished even when nobody waits any more."""
        ...

    def line(self, name: str) -> "WorkLine":
        """A thread of its own."""
        ...


class WorkLine(Protocol):
    """One job at a time, in the order given."""

    def submit(self, job: Callable[[], None], done: Callable[[BaseException | None], None]) -> None:
        """Run the job, then call `done` in the loop with what it raised, or None."""
        ...

    def close(self) -> None:
        """Finish what was submitted, then end the thread. Blocks."""
        ...


class WorkshopClosed(Exception):
    """No process is connected that could do it: the caller does it itself."""


class Workshop(Protocol):
    """Other processes, which do one thing: octets to them, octets back."""

    @property
    def places(self) -> int:
        """How many orders are in work at once; 0 while no process is connected."""
        ...

    def open(self) -> None:
        """There is much to do: the processes are started, and end when nothing is left. No complaint when
        they run already.
        """
        ...

    async def do(self, order: bytes) -> bytes:
        """Raises WorkshopClosed."""
        ...


class DiskFull(Exception):
    """There is no room (ENOSPC, EDQUOT). Nothing was kept."""


class DiskFailed(Exception):
    """A write or sync failed (EIO). Fatal: what the disk holds is unknown; all roles stop."""


class FileUnreadable(Exception):
    """What one file holds cannot be read. Nothing follows for other files, or for what is written."""


class KeyFault(Exception):
    """A key is missing, or cannot be used. The text names the file and the fix, never what is in it."""


class OpenFile(Protocol):
    """A file that is there, in blocking calls: use it inside Work."""

    def sync(self) -> None:
        """What was written to the file, by whomever, survives a power cut; its name may not.

        Raises DiskFull or DiskFailed, also for what went wrong since the file was opened.
        """
        ...

    def close(self) -> None: ...


class DiskFile(OpenFile, Protocol):
    """A new file being written."""

    def write(self, data: bytes) -> None:
        """Raises DiskFull or DiskFailed."""
        ...


class Held(Protocol):
    """A file lock that falls when this process dies, however it dies."""

    def release(self) -> None: ...


class Disk(Protocol):
    """The store's folder. Names are relative to it, with "/" between parts. Blocking calls, but short
    ones except `sync` and `sync_folder`.
    """

    @property
    def vfs(self) -> str | None:
        """The name of the SQLite VFS that reaches the same disk; None for SQLite's own."""
        ...

    def path(self, name: str) -> str: ...

    def make_folder(self, name: str) -> None:
        """With its parents, mode 0700, synced. No complaint when it is there."""
        ...

    def create(self, name: str) -> DiskFile:
        """Mode 0600; the name must be new. Raises DiskFull or DiskFailed."""
        ...

    def open(self, name: str) -> OpenFile:
        """To be synced. Never a database of SQLite: to close one drops the locks that it has on the file.

        Raises FileNotFoundError, PermissionError, DiskFull and DiskFailed.
        """
        ...

    def sync_database(self, name: str) -> None:
        """As OpenFile's sync, for a file that SQLite has open too."""
        ...

    def sync_folder(self, name: str) -> None:
        """The names in the folder survive a power cut. Raises DiskFailed."""
        ...

    def read(self, name: str, offset: int, octets: int) -> bytes:
        """Fewer octets at the end of the file. Raises FileNotFoundError and FileUnreadable."""
        ...

    def size(self, name: str) -> int:
        """Octets of a file; 0 when it is not there. Raises DiskFailed."""
        ...

    def names(self, folder: str) -> list[str]:
        """None when the folder is not there. Raises DiskFull (too many open files) and DiskFailed."""
        ...

    def remove(self, name: str) -> None:
        """No complaint when it is gone already."""
        ...

    def free_octets(self) -> int:
        """Raises DiskFailed when the folder is gone."""
        ...

    def hold(self, name: str) -> Held | None:
        """Lock a file, made when missing; None when a living process holds it.

        Raises DiskFull and DiskFailed.
        """
        ...
