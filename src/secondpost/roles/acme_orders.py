"""The orders of certificates in the fetch role: one at a time, in a thread, with the account and the names of
the configuration.

The client of the authority is large, so it is imported at the first order.
"""

import asyncio
import errno
from collections.abc import Callable

from secondpost.config.faults import Wrong
from secondpost.config.files import PEM_OCTETS_MAX, FileWrong, OpenToRead, read_file, read_password
from secondpost.config.records import LETS_ENCRYPT, AcmeChallenge, Config
from secondpost.protocols.certificate_questions import (
    CertificateNotIssued,
    CertificateOrder,
    CertificateResult,
)
from secondpost.roles.parts import Parts
from secondpost.setup.certificate_names import certificate_names
from secondpost.world.ports import DiskFailed, KeyFault, Requester, Work
from secondpost.world.real.fetch import RealFetcher

PORTS = ((AcmeChallenge.HTTP, 80), (AcmeChallenge.ALPN, 443))  # RFC 8555 §8.3, RFC 8737 §3
FINISH_SECONDS_MAX = 120.0  # that a successor waits for the order under way


class AcmeOrders:
    """`near` sends requests to the host of the authority's directory, `far` to all others. `key`: of an
    account that the authority gave us beforehand; "" without one.
    """

    def __init__(self, config: Config, key: str, work: Work, near: Requester, far: Requester) -> None:
        self._config = config
        self._key = key
        self._work = work
        self._near = near
        self._far = far
        self._one = asyncio.Lock()
        self._stop: Callable[[], None] = lambda: None

    async def obtain(self, order: CertificateOrder) -> CertificateResult:
        from secondpost.world.real.acme_client import AcmeAccount, AcmeClient, ExternalAccount
        from secondpost.world.real.acme_network import AcmeRequests

        authority = self._config.acme
        account = AcmeAccount(
            directory=authority.directory,
            contact=self._config.tls.acme or "",
            challenges=challenges_of(self._config),
            names=frozenset(certificate_names(self._config)),
            external=None if authority.key_id is None else ExternalAccount(authority.key_id, self._key),
        )
        async with self._one:
            requests = AcmeRequests(self._near, self._far, authority.directory)
            self._stop = requests.stop
            client = AcmeClient(self._config.store, account, requests)
            try:
                return await self._work.run(lambda: client.obtain(order))
            except OSError as error:
                if error.errno == errno.EIO:
                    raise DiskFailed(str(error)) from error
                return CertificateNotIssued(f"a file of the account or of an answer: {error}")

    async def finish(self) -> None:
        """Wait for the order under way, within a bound: one that was cut off would count as failed."""
        try:
            async with asyncio.timeout(FINISH_SECONDS_MAX), self._one:
                return
        except TimeoutError:
            self.stop()

    def stop(self) -> None:
        """Give up the order under way: the role ends, and waits for its threads."""
        self._stop()


def challenges_of(config: Config) -> tuple[AcmeChallenge, ...]:
    """The kinds that are tried in turn: those whose port is listened on. Behind a proxy or a router that
    is not known here, so both are.
    """
    if config.acme.challenge is not None:
        return (config.acme.challenge,)
    ports = {door.port for door in config.web.doors}
    kinds = tuple(kind for kind, port in PORTS if port in ports)
    return kinds if len(kinds) > 0 else tuple(AcmeChallenge)


def acme_orders(parts: Parts) -> AcmeOrders:
    """Everything that is read outside the store is read here, before the role begins. Raises KeyFault."""
    config, resolver = parts.config, parts.world.resolver
    authority = config.acme
    try:
        key = "" if authority.key_file is None else read_password(authority.key_file, parts.open_file)
        root = None if authority.root is None else _root(authority.root, parts.open_file)
    except Wrong as wrong:
        raise KeyFault(str(wrong)) from None
    # The owner may name an authority in the own network; where its documents lead is another matter.
    is_named = authority.directory != LETS_ENCRYPT
    try:
        near = RealFetcher(resolver, allow_private=is_named, authorities_pem=root)
    except ValueError as error:
        raise KeyFault(f"{authority.root} holds no certificate that can be used: {error}") from None
    far = RealFetcher(resolver, allow_private=config.fetch.allow_private, authorities_pem=root)
    return AcmeOrders(config, key, parts.world.work, near, far)


def _root(path: str, open_file: OpenToRead) -> str:
    """The content of a PEM file. Raises KeyFault."""
    try:
        return read_file(path, PEM_OCTETS_MAX, open_file).decode("ascii", "replace")
    except FileWrong as wrong:
        raise KeyFault(f"{path} {wrong}") from None
