"""Fetches from the public web: no cookies, proxies or passwords, and no private networks.

A name is resolved once, all its addresses are checked, and the connection goes to one of them: a
later change of the name (DNS rebinding) has no effect. Every redirect is checked like a new URL.
"""

import asyncio
import ssl
import zlib
from collections.abc import AsyncIterable, Callable, Coroutine, Iterable, Iterator, Mapping
from urllib.parse import urljoin

import httpcore2
import httpx2

from secondpost import __version__
from secondpost.mail.address import as_ip
from secondpost.world.ports import Fetched, FetchError, Redirect, Resolver, Validators
from secondpost.world.real.fetch_addresses import UrlRefused, checked_url, is_public

AGENT = f"Secondpost/{__version__}"
REDIRECTS_MAX = 5
REDIRECT_STATUSES = (301, 302, 303, 307, 308)
TOTAL_SECONDS = 60.0  # of one `get` with all its redirects
STREAM_SECONDS = 600.0  # of one `stream`
PIECE_OCTETS_MAX = 256 * 1024  # unpacked at once, whatever a packed body becomes
CONNECT_SECONDS = 10.0  # to one address
READ_SECONDS = 20.0  # without any data
ADDRESSES_MAX = 4  # of one name that are tried
HEADER_CHARACTERS_MAX = 1_000  # of a validator that is sent back
LOOPBACK = ("127.0.0.1", "::1")
_GZIP = 16 + zlib.MAX_WBITS


class RealFetcher:
    def __init__(
        self,
        resolver: Resolver,
        *,
        allow_private: bool = False,
        authorities_path: str | None = None,
        authorities_pem: str | None = None,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        """`allow_private`: permit addresses of private networks, for tests and intranets.

        `authorities_path`, `authorities_pem`: CA certificates to trust instead of the system's. Raises
        ValueError for those that are none.
        """
        self._resolver = resolver
        self._allow_private = allow_private
        self._total_seconds = total_seconds
        self._tls: ssl.SSLContext | None = None
        if authorities_path is not None or authorities_pem is not None:
            self._tls = ssl.create_default_context(cafile=authorities_path, cadata=authorities_pem)

    async def get(
        self, url: str, headers: Mapping[str, str], octets_max: int, validators: Validators | None = None
    ) -> Fetched:
        return await self._within(url, self._follow(url, headers, octets_max, validators))

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Fetched:
        sent = _sent(headers, url, url, None)
        return await self._within(url, self._ask(url, sent, None, "POST", body))

    async def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, octets_max: int
    ) -> Fetched:
        sent = _sent(headers, url, url, None)
        return await self._within(url, self._ask(url, sent, octets_max, method, body))

    async def stream(
        self, url: str, headers: Mapping[str, str], octets_max: int, take: Callable[[bytes], None]
    ) -> int:
        sent = _sent(headers, url, url, None)
        asking = self._ask(url, sent, octets_max, take=take)
        return (await self._within(url, asking, STREAM_SECONDS)).status

    async def _within(
        self, url: str, asking: Coroutine[object, object, Fetched], seconds: float | None = None
    ) -> Fetched:
        """The answer in the total time, or in so many seconds, with every error as a FetchError."""
        allowed = self._total_seconds if seconds is None else seconds
        try:
            async with asyncio.timeout(allowed):
                return await asking
        except TimeoutError as error:
            raise FetchError(f"{_shown(url)} was not there within {allowed:g} seconds") from error
        except UrlRefused as error:
            raise FetchError(f"refused: {error}") from error
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            detail = str(error) or type(error).__name__
            raise FetchError(f"{_shown(url)}: {detail}") from error

    async def _follow(
        self, url: str, headers: Mapping[str, str], octets_max: int, validators: Validators | None
    ) -> Fetched:
        redirects: list[Redirect] = []
        here = url
        while True:
            fetched = await self._ask(here, _sent(headers, here, url, validators), octets_max)
            target = fetched.headers.get("location", "")
            if fetched.status not in REDIRECT_STATUSES or len(target) == 0:
                return Fetched(fetched.status, fetched.headers, fetched.body, here, tuple(redirects))
            if len(redirects) == REDIRECTS_MAX:
                raise FetchError(f"{_shown(url)} redirects more than {REDIRECTS_MAX} times")
            there = _target(here, target)
            if here.startswith("https:") and not there.startswith("https:"):
                raise FetchError(f"{_shown(url)} redirects from https to {_shown(there)}")
            redirects.append(Redirect(fetched.status, there))
            here = there

    async def _ask(
        self,
        url: str,
        headers: Mapping[str, str],
        octets_max: int | None,
        method: str = "GET",
        body: bytes = b"",
        take: Callable[[bytes], None] | None = None,
    ) -> Fetched:
        """`octets_max`: of the answer's body; None: it is not read, and cannot fail. `take`: gets the
        body of a good answer in pieces, and the result has none.
        """
        trust = self._trust(checked_url(url, self._allow_private).scheme)
        transport = httpx2.AsyncHTTPTransport(verify=trust, trust_env=False)
        # httpx2 has no public way to control where it connects; its version is pinned for this
        # line.
        transport._pool = httpcore2.AsyncConnectionPool(
            ssl_context=trust,
            max_keepalive_connections=0,
            network_backend=_Dialling(self._resolver, self._allow_private),
        )
        limits = {"connect": CONNECT_SECONDS * ADDRESSES_MAX, "read": READ_SECONDS, "write": READ_SECONDS}
        request = httpx2.Request(
            method, url, headers=dict(headers), content=body, extensions={"timeout": limits}
        )
        async with transport:
            response = await transport.handle_async_request(request)
            try:
                return await _read(response, url, octets_max, take)
            finally:
                await response.aclose()

    def _trust(self, scheme: str) -> ssl.SSLContext:
        """The authorities for a connection. The system's are read when first needed: that takes 25 ms."""
        if scheme != "https":
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts none, and is not used
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls


def _shown(url: str) -> str:
    """A shortened URL, safe for the log."""
    return ascii(url[:200])[1:-1]


def _target(here: str, location: str) -> str:
    """Resolve a Location: relative, or with raw UTF-8 or spaces. Raises FetchError."""
    try:
        return str(httpx2.URL(urljoin(here, location.strip())))
    except (httpx2.InvalidURL, ValueError) as error:
        raise FetchError(f"{_shown(here)} redirects to {_shown(location)}: {error}") from error


def _sent(headers: Mapping[str, str], here: str, first: str, validators: Validators | None) -> dict[str, str]:
    sent = {"User-Agent": AGENT, "Accept": "*/*", "Accept-Encoding": "gzip"}
    same_place = httpx2.URL(here).raw_host == httpx2.URL(first).raw_host
    for name, value in headers.items():
        if same_place or name.lower() == "accept":  # headers meant for one host are not sent to another
            sent[name.title()] = value
    if validators is not None and validators.url == here:
        for name, value in (
            ("If-None-Match", validators.etag),
            ("If-Modified-Since", validators.last_modified),
        ):
            if 0 < len(value) <= HEADER_CHARACTERS_MAX and value.isascii() and value.isprintable():
                sent[name] = value
    return sent


async def _read(
    response: httpx2.Response, url: str, octets_max: int | None, take: Callable[[bytes], None] | None
) -> Fetched:
    headers = {name.lower(): value for name, value in response.headers.items()}
    status = response.status_code
    if octets_max is None or status == 304 or status in REDIRECT_STATUSES:
        return Fetched(status, headers, b"")
    if take is not None and status != 200:
        return Fetched(status, headers, b"")
    declared = headers.get("content-length", "")
    if declared.isdecimal() and len(declared) < 20 and int(declared) > octets_max:
        raise FetchError(f"{_shown(url)} says that it has {declared} octets, at most {octets_max}")
    if not isinstance(response.stream, AsyncIterable):
        raise FetchError(f"{_shown(url)} has no body that can be read")
    whole = bytearray()
    keep = whole.extend if take is None else take
    try:
        body = _Body(headers.get("content-encoding", "").strip().lower(), octets_max)
        async for piece in response.stream:
            for unpacked in body.unpacked(piece):
                keep(unpacked)
        body.check_end()
    except _BadBody as error:
        raise FetchError(f"{_shown(url)} {error}") from error
    return Fetched(status, headers, bytes(whole))


class _BadBody(Exception):
    pass


class _Body:
    """A body of limited size, even if it decompresses to more."""

    def __init__(self, encoding: str, octets_max: int) -> None:
        if encoding not in ("", "identity", "gzip", "x-gzip"):
            raise _BadBody(f"is packed as {encoding[:40]!r}, which was not asked for")
        self._unpack = zlib.decompressobj(_GZIP) if "gzip" in encoding else None
        self._octets_max = octets_max
        self._octets = 0

    def unpacked(self, piece: bytes) -> Iterator[bytes]:
        """What the next piece of the body stands for, in pieces that are never large."""
        if self._unpack is None:
            yield self._counted(piece)
            return
        try:
            # Data after the end is ignored; zlib would collect it.
            while not self._unpack.eof:
                # One octet over the limit is enough to detect it.
                room = min(self._octets_max - self._octets + 1, PIECE_OCTETS_MAX)
                unpacked = self._unpack.decompress(piece, room)
                yield self._counted(unpacked)
                if len(unpacked) < room:
                    return
                piece = self._unpack.unconsumed_tail
        except zlib.error as error:
            raise _BadBody(f"is not gzip, though it says so: {error}") from error

    def _counted(self, unpacked: bytes) -> bytes:
        self._octets += len(unpacked)
        if self._octets > self._octets_max:
            raise _BadBody(f"has more than {self._octets_max} octets")
        return unpacked

    def check_end(self) -> None:
        """Raises _BadBody if the packing is not at its end."""
        if self._unpack is not None and not self._unpack.eof:
            raise _BadBody("ends in the middle of its packing")


class _Dialling(httpcore2.AsyncNetworkBackend):
    """Connects to checked addresses only. TLS still verifies the certificate against the name."""

    def __init__(self, resolver: Resolver, allow_private: bool) -> None:
        self._resolver = resolver
        self._allow_private = allow_private
        self._wire = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        problem: Exception | None = None
        for address in await self._addresses(host):
            try:
                return await self._wire.connect_tcp(address, port, timeout=CONNECT_SECONDS)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                problem = error
        raise FetchError(f"cannot connect to {host} port {port}: {problem}") from problem

    async def _addresses(self, host: str) -> tuple[str, ...]:
        """The addresses of a host. Raises FetchError if there is none, or one is not public."""
        found = await self._found(host)
        if not self._allow_private:
            # A private address among public ones is no accident but an attempt to reach it.
            closed = [address for address in found if not is_public(address)]
            if len(closed) > 0:
                named = host if host == closed[0] else f"{host} is {closed[0]}, which"
                raise FetchError(
                    f"refused: {named} is no address of the public web; for a blog on your own network set "
                    "allow_private = true in [fetch]"
                )
        return found[:ADDRESSES_MAX]

    async def _found(self, host: str) -> tuple[str, ...]:
        literal = host.strip("[]")
        if as_ip(literal) is not None:
            return (literal,)
        if host.rstrip(".").lower() == "localhost":  # RFC 6761 §6.3: no name server is asked
            return LOOPBACK
        answer = await self._resolver.addresses(host)
        if len(answer.addresses) == 0:
            raise FetchError(f"{host} has no address: {answer.finding}")
        return answer.addresses
