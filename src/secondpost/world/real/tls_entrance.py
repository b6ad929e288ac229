"""Connections that begin with TLS: each client is shown the certificate that its first message asks for.

The certificate authority looks at a host by asking for its challenge's certificate (tls-alpn-01,
RFC 8737); every other client gets our own, whatever name it asks for. As long as we have none, each
handshake is refused: a certificate that no client trusts would only teach people to click on.
"""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from secondpost.mail.own_certificate import ALPN_PROTOCOL, ANSWER_OCTETS_MAX, alpn_answer
from secondpost.protocols.client_hello import ClientHello, looks_like_tls, read_client_hello
from secondpost.world.ports import Disk, DiskFailed, FileUnreadable
from secondpost.world.real.tls import PemCopies, ServerCertificate, load_pair, server_context
from secondpost.world.real.tls_transport import TlsTransport

CHALLENGE = ALPN_PROTOCOL.encode()
# RFC 9110 §15.5.1. A browser that was given http://host:443 shows it.
SPOKE_HTTP = (
    b"HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
    b"This port speaks HTTPS: write https:// in the address.\n"
)


@dataclass(frozen=True, slots=True)
class ChosenContext:
    context: ssl.SSLContext
    is_challenge: bool = False


class CertificateChoice:
    """Chooses by a client's first message. Challenges are read from the store each time, as each is
    removed when it is over.
    """

    def __init__(self, certificate: ServerCertificate | None, disk: Disk) -> None:
        self._certificate = certificate
        self._disk = disk
        self._refusing = server_context()

    def has_certificate(self) -> bool:
        return self._own() is not None

    def choose(self, hello: ClientHello) -> ChosenContext:
        if hello.protocols == (CHALLENGE,):  # RFC 8737 §3: and no other protocol
            return ChosenContext(self._challenge(hello.server_name), is_challenge=True)
        own = self._own()
        return ChosenContext(self._refusing if own is None else own)

    def _own(self) -> ssl.SSLContext | None:
        return None if self._certificate is None else self._certificate.context()

    def _challenge(self, host: str) -> ssl.SSLContext:
        """The context that answers a host's challenge; one that refuses if none is pending."""
        name = alpn_answer(host)
        try:
            if name is None or self._disk.size(name) > ANSWER_OCTETS_MAX:
                return self._refusing
            answer = self._disk.read(name, 0, ANSWER_OCTETS_MAX)
            context = server_context((ALPN_PROTOCOL,))
            load_pair(context, PemCopies(answer, answer))
        except (OSError, ValueError, DiskFailed, FileUnreadable):
            return self._refusing
        return context


class TlsEntrance(asyncio.Protocol):
    """The protocol of a connection until its handshake is done; then `inner` is.

    `enter` counts the connection and says whether there is room for it, and bounds how long it may
    take; `leave` is called if it ends before it is in.
    """

    def __init__(
        self,
        choice: CertificateChoice,
        inner: asyncio.Protocol,
        enter: Callable[[asyncio.Transport], bool],
        leave: Callable[[], None],
    ) -> None:
        self._choice = choice
        self._inner = inner
        self._enter = enter
        self._leave = leave
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._wire = cast(asyncio.Transport, transport)
        if not self._enter(self._wire):
            self._wire.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self._leave()

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not looks_like_tls(self._received):
            self._wire.write(SPOKE_HTTP)
            self._wire.close()
            return
        hello = read_client_hello(self._received)
        if hello is not None:
            self._begin(self._choice.choose(hello))

    def _begin(self, chosen: ChosenContext) -> None:
        tls = TlsTransport(self._wire, self, chosen.context, None)
        tls.shake(self._received).add_done_callback(lambda shaken: self._shaken(tls, shaken, chosen))
        self._received = b""

    def _shaken(self, tls: TlsTransport, shaken: asyncio.Future[None], chosen: ChosenContext) -> None:
        if shaken.exception() is not None:
            self._wire.close()  # after the alert that tells why
        elif chosen.is_challenge:
            tls.close()  # RFC 8737 §3: nothing is exchanged after the handshake
        elif not tls.is_closing():
            tls.set_protocol(self._inner)
            self._inner.connection_made(tls)
