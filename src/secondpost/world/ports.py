"""The ports: what stations may use of the world, one small interface per thing.

asyncio is used for structure (tasks, futures, timers), never for I/O. Timers are the running loop's
`call_later`, which jumps ahead in simulation. Network protocols use asyncio's transport/protocol
pair, because awaiting streams costs more than everything else on the hot path.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeVar

from secondpost.mail.address import Domain, Endpoint
from secondpost.mail.dns_questions import (
    AliasAnswer,
    CaaAnswer,
    DsAnswer,
    NsAnswer,
    PtrAnswer,
    TlsaAnswer,
    ZoneAnswer,
)
from secondpost.mail.questions import AddressAnswer, MxAnswer, TxtAnswer

T = TypeVar("T")
ProtocolFactory = Callable[[], asyncio.Protocol]


class Clock(Protocol):
    """Wall time, for what is stored or shown. Durations are measured by the loop's own time."""

    def now_ms(self) -> int:
        """UTC, milliseconds since 1970. May step in either direction."""
        ...


class Dice(Protocol):
    """The source of all randomness, so that a seed can repeat it."""

    def fraction(self) -> float:
        """A random number, 0 <= x < 1."""
        ...

    def shuffled(self, things: Sequence[T]) -> list[T]: ...

    def token(self, octets: int) -> bytes:
        """Random bytes fit for secrets."""
        ...


@dataclass(frozen=True, slots=True)
class ServerTls:
    """TLS as the server, with the certificate of the Net.

    `named` is called once with the server name that the client asks for (SNI), if it asks for one, also
    if the handshake fails later. It must not raise. No certificate is chosen by it.
    """

    named: Callable[[str], None] | None = None


@dataclass(frozen=True, slots=True)
class ClientTls:
    """TLS as the client. `verify`: require a certificate that is valid for `server_name`."""

    server_name: str
    verify: bool


@dataclass(frozen=True, slots=True)
class TlsFacts:
    version: str  # such as "TLSv1.3"
    cipher: str
    certificate: bytes = field(default=b"", repr=False)  # of the peer, in DER; empty if it showed none

    def __str__(self) -> str:
        return f"{self.version} {self.cipher}"


class Listening(Protocol):
    """A listening socket."""

    @property
    def endpoint(self) -> Endpoint:
        """The address, with the port that was actually taken."""
        ...

    def close(self) -> None:
        """Accept no new connections; existing ones go on."""
        ...


class NetError(Exception):
    """A connection or a TLS handshake failed. The text is fit for the log."""


class Net(Protocol):
    async def connect(
        self, factory: ProtocolFactory, endpoint: Endpoint, timeout_seconds: float
    ) -> asyncio.Transport:
        """Connect to an IP address. The protocol gets connection_made. Raises NetError."""
        ...

    async def listen(self, factory: ProtocolFactory, endpoint: Endpoint) -> Listening:
        """Listen on the endpoint, or use the inherited socket for it. Port 0 means any free one."""
        ...

    def own_addresses(self) -> frozenset[str]:
        """The IP addresses of this machine's interfaces, in the form of str(ip_address)."""
        ...

    @property
    def offers_tls(self) -> bool:
        """Whether there is a certificate, so that a ServerTls handshake can succeed."""
        ...

    async def start_tls(
        self,
        transport: asyncio.Transport,
        protocol: asyncio.Protocol,
        side: ServerTls | ClientTls,
        timeout_seconds: float,
    ) -> tuple[asyncio.Transport, TlsFacts]:
        """Upgrade a connection to TLS. Raises NetError and closes it.

        The protocol may get data before this returns: it must queue all input until the new
        transport is installed.
        """
        ...

    async def connect_local(
        self, factory: ProtocolFactory, path: str, timeout_seconds: float
    ) -> asyncio.Transport:
        """Connect to another role's Unix stream socket. Raises NetError."""
        ...

    async def listen_local(self, factory: ProtocolFactory, path: str) -> Listening:
        """Listen on a Unix stream socket of mode 0600. Raises NetError.

        A socket file that is there is replaced in one step; its listener goes on with the connections
        that it has. `endpoint` of the result is meaningless.
        """
        ...

    async def listen_hints(self, path: str, heard: Callable[[], None]) -> Listening:
        """Listen for hints on a Unix datagram socket. Several hints may arrive as one call."""
        ...

    def hint(self, path: str) -> None:
        """Send a hint without waiting. Never fails: correctness does not depend on hints."""
        ...


class Resolver(Protocol):
    """A DNS resolver. Never raises: a failure is a finding."""

    async def mx(self, domain: Domain) -> MxAnswer:
        """Sorted by preference, equal ones in random order."""
        ...

    async def addresses(self, host: str) -> AddressAnswer:
        """IPv6 and IPv4 together, in the order to try them."""
        ...

    async def txt(self, name: str) -> TxtAnswer: ...


class ArrivalResolver(Resolver, Protocol):
    """A resolver that also answers what is asked about the client of arriving mail. Never raises."""

    async def address_records(self, host: str, version: Literal[4, 6]) -> AddressAnswer:
        """A or AAAA alone; a host that is an address has none."""
        ...

    async def ptr(self, address: str) -> PtrAnswer:
        """The names that the owner of an IP address gives it."""
        ...


class ZoneResolver(ArrivalResolver, Protocol):
    """A resolver that also answers what no delivery asks. Never raises."""

    async def tlsa(self, name: str) -> TlsaAnswer: ...

    async def caa(self, name: str) -> CaaAnswer:
        """The records of this very name: the tree is not climbed."""
        ...

    async def alias(self, name: str) -> AliasAnswer: ...

    async def zone_of(self, name: str) -> ZoneAnswer: ...

    async def ds(self, zone: str) -> DsAnswer: ...

    async def ns(self, zone: str) -> NsAnswer: ...


@dataclass(frozen=True, slots=True)
class Validators:
    """The validators of an earlier response, for a conditional request.

    Opaque, and valid only for `url`: the one that responded, after all redirects.
    """

    url: str
    etag: str = ""  # with its quotes; "" if there was none
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
    url: str = ""  # that responded, after all redirects
    redirects: tuple[Redirect, ...] = ()


class FetchError(Exception):
    """No response, a refused address, or too large a body. The text is fit for the log."""


class Fetcher(Protocol):
    async def get(
        self, url: str, headers: Mapping[str, str], octets_max: int, validators: Validators | None = None
    ) -> Fetched:
        """Get a URL, following redirects; any status is returned. Raises only FetchError."""
        ...


class Poster(Protocol):
    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Fetched:
        """Post to a URL; any status is returned, without its body, and a redirect is not followed.
        Raises only FetchError.
        """
        ...


class Requester(Protocol):
    async def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, octets_max: int
    ) -> Fetched:
        """Send one request; any status is returned, with the whole body, and a redirect is not
        followed. Raises only FetchError.
        """
        ...


class Streamer(Protocol):
    async def stream(
        self, url: str, headers: Mapping[str, str], octets_max: int, take: Callable[[bytes], None]
    ) -> int:
        """Get a URL, and hand its body to `take` in pieces as it comes, if the status is 200. Returns the
        status; a redirect is not followed. Raises FetchError, also after some pieces, and what `take`
        raises.
        """
        ...


class Work(Protocol):
    """Runs jobs in other threads. In simulation they run inline, with a virtual delay."""

    def run(self, job: Callable[[], T]) -> Awaitable[T]:
        """Run a job in a pool. Once started, it is finished even if its caller is cancelled."""
        ...

    def line(self, name: str) -> "WorkLine":
        """Start a thread that runs jobs in order."""
        ...


class WorkLine(Protocol):
    """Runs one job at a time, in order."""

    def submit(self, job: Callable[[], None], done: Callable[[BaseException | None], None]) -> None:
        """Run the job, then call `done` in the loop with its exception or None."""
        ...

    def close(self) -> None:
        """Finish the submitted jobs and end the thread. Blocks."""
        ...


class WorkshopClosed(Exception):
    """No worker process is connected: the caller does the work itself."""


class Workshop(Protocol):
    """Worker processes for one kind of order: octets in, octets out."""

    @property
    def places(self) -> int:
        """How many orders can be in progress at once; 0 while no process is connected."""
        ...

    def open(self) -> None:
        """Start the processes because there is much work; does nothing if they run.

        They end when no work is left.
        """
        ...

    async def do(self, order: bytes) -> bytes:
        """Have one order done; returns the answer. Raises WorkshopClosed."""
        ...


class DiskFull(Exception):
    """No space, descriptors or memory are left. Temporary: what was synced is not in doubt."""


class DiskFailed(Exception):
    """A write or sync failed (EIO). Fatal: the state of the disk is unknown; all roles stop."""


class FileUnreadable(Exception):
    """One file cannot be read. Says nothing about other files or about writing."""


class KeyFault(Exception):
    """A key is missing or unusable. The text names the file and the fix, never key material."""


class OpenFile(Protocol):
    """An existing file, with blocking calls: use it inside Work."""

    def sync(self) -> None:
        """Make the file's content durable, whichever handle wrote it; its name may not be.

        Raises DiskFull or DiskFailed, also for earlier failures since the file was opened.
        """
        ...

    def close(self) -> None: ...


class DiskFile(OpenFile, Protocol):
    """A new file being written."""

    def write(self, data: bytes) -> None:
        """Raises DiskFull or DiskFailed."""
        ...


class Held(Protocol):
    """A file lock, released when this process dies in any way."""

    def release(self) -> None: ...


class Disk(Protocol):
    """The store's folder. Names are relative to it, with "/" between parts.

    All calls block, but only `sync` and `sync_folder` for long.
    """

    @property
    def vfs(self) -> str | None:
        """The name of the SQLite VFS for this disk; None for SQLite's own."""
        ...

    def path(self, name: str) -> str: ...

    def make_folder(self, name: str) -> None:
        """Create a folder with its parents, synced. Does nothing if it exists."""
        ...

    def create(self, name: str) -> DiskFile:
        """Create a file; the name must be new. Raises DiskFull or DiskFailed."""
        ...

    def open(self, name: str) -> OpenFile:
        """Open a file in order to sync it.

        Never a database of SQLite: closing it would drop SQLite's locks on the file. Raises
        FileNotFoundError, PermissionError, DiskFull and DiskFailed.
        """
        ...

    def sync_database(self, name: str) -> None:
        """Like OpenFile.sync, for a file that SQLite has open too."""
        ...

    def sync_folder(self, name: str) -> None:
        """Make the names in the folder durable. Raises DiskFailed."""
        ...

    def read(self, name: str, offset: int, octets: int) -> bytes:
        """Up to `octets` from `offset`. Raises FileNotFoundError and FileUnreadable."""
        ...

    def size(self, name: str) -> int:
        """Octets of a file; 0 if it does not exist, or in a room that is closed to us. Raises DiskFailed."""
        ...

    def names(self, folder: str) -> list[str]:
        """The names in a folder; empty if it does not exist. Raises DiskFull and DiskFailed.

        DiskFull may mean too many open files.
        """
        ...

    def remove(self, name: str) -> None:
        """Remove a file; does nothing if it does not exist."""
        ...

    def free_octets(self) -> int:
        """Free space. Raises DiskFailed if the folder does not exist."""
        ...

    def identity(self, name: str) -> str:
        """One line that is another for every copy of the file: the machine, and the file's place on
        its disk. Raises FileNotFoundError and DiskFailed.
        """
        ...

    def hold(self, name: str) -> Held | None:
        """Lock a file, created if missing; None if a living process holds it.

        Raises DiskFull and DiskFailed.
        """
        ...
