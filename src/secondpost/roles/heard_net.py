"""A network that listens to the SMTP sessions over it: for the owner, who is shown what was said."""

import asyncio
from dataclasses import dataclass, field
from typing import cast

from secondpost.mail.address import Endpoint
from secondpost.protocols.smtp.transcript import Transcript
from secondpost.world.ports import ClientTls, NetError, ProtocolFactory, ServerTls, TlsFacts
from secondpost.world.real.net import RealNet


@dataclass(eq=False, slots=True)
class HeardSession:
    """One connection."""

    endpoint: Endpoint
    transcript: Transcript = field(default_factory=Transcript)
    tls: TlsFacts | None = None
    failure: str = ""  # why it could not be made or encrypted
    over: asyncio.Event = field(default_factory=asyncio.Event)


class HeardNet(RealNet):
    """The real network as a client; `heard` has its connections in order."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[HeardSession] = []

    async def connect(
        self, factory: ProtocolFactory, endpoint: Endpoint, timeout_seconds: float
    ) -> asyncio.Transport:
        heard = HeardSession(endpoint)
        self.heard.append(heard)
        try:
            return await super().connect(lambda: _Ear(factory(), heard), endpoint, timeout_seconds)
        except NetError as error:
            heard.failure = str(error)
            raise

    async def start_tls(
        self,
        transport: asyncio.Transport,
        protocol: asyncio.Protocol,
        side: ServerTls | ClientTls,
        timeout_seconds: float,
    ) -> tuple[asyncio.Transport, TlsFacts]:
        spoken = cast(_Mouth, transport)
        heard = spoken.heard
        try:
            secret, facts = await super().start_tls(spoken.wire, _Ear(protocol, heard), side, timeout_seconds)
        except NetError as error:
            heard.failure = str(error)
            raise
        heard.tls = facts
        return _Mouth(secret, heard), facts


class _Ear(asyncio.Protocol):
    """Hears what the server says before the client does."""

    def __init__(self, client: asyncio.Protocol, heard: HeardSession) -> None:
        self._client = client
        self._heard = heard

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._client.connection_made(_Mouth(cast(asyncio.Transport, transport), self._heard))

    def data_received(self, data: bytes) -> None:
        self._heard.transcript.received(data)
        self._client.data_received(data)

    def eof_received(self) -> bool | None:
        return self._client.eof_received()

    def connection_lost(self, error: Exception | None) -> None:
        self._heard.over.set()
        self._client.connection_lost(error)

    def pause_writing(self) -> None:
        self._client.pause_writing()

    def resume_writing(self) -> None:
        self._client.resume_writing()


class _Mouth(asyncio.Transport):
    """Hears what the client says. It has what a deliver connection calls."""

    def __init__(self, wire: asyncio.Transport, heard: HeardSession) -> None:
        super().__init__()
        self.wire = wire
        self.heard = heard

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.heard.transcript.sent(bytes(data))
        self.wire.write(data)

    def close(self) -> None:
        self.wire.close()

    def abort(self) -> None:
        self.wire.abort()

    def is_closing(self) -> bool:
        return self.wire.is_closing()

    def get_write_buffer_size(self) -> int:
        return self.wire.get_write_buffer_size()

    def get_extra_info(self, name: str, default: object = None) -> object:
        return self.wire.get_extra_info(name, default)
