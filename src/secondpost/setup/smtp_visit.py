"""Answers a look at an SMTP server over the network: first as a sender that checks certificates, then
as one that does not, and at last in the clear.
"""

import asyncio
from collections import deque

from secondpost.mail.outcome import Cause
from secondpost.protocols.smtp.client import (
    Broken,
    Bye,
    Done,
    Event,
    Extensions,
    RecipientResult,
    SessionReady,
    SmtpClient,
    TlsWanted,
)
from secondpost.setup.looks import SmtpLook, SmtpSeen, TurnedAway, Unreached, Visited
from secondpost.world.closing import close_soon
from secondpost.world.ports import ClientTls, Net, NetError, TlsFacts

CONNECT_SECONDS = 8.0
LOOK_SECONDS_MAX = 20.0  # for all three conversations; some servers greet only after several seconds
TLS_SECONDS_MAX = 8.0


class TlsFailed(Exception):
    """The handshake failed; the text says why."""


async def visit(net: Net, hello: str, look: SmtpLook) -> SmtpSeen:
    """`hello`: our name for EHLO."""
    distrust = ""
    try:
        async with asyncio.timeout(LOOK_SECONDS_MAX):
            for side in (ClientTls(look.host, verify=True), ClientTls(look.host, verify=False), None):
                try:
                    return await _Visit(net, hello, look, side, distrust).run()
                except TlsFailed as failed:
                    distrust = distrust if len(distrust) > 0 else str(failed)
    except TimeoutError:
        return Unreached(f"it did not finish a short conversation in {LOOK_SECONDS_MAX:g} s", is_silent=False)
    except NetError as error:
        return Unreached(str(error), isinstance(error.__cause__, TimeoutError))
    raise AssertionError("a conversation in the clear starts no TLS")


class _Visit(asyncio.Protocol):
    """One conversation. Raises NetError and TlsFailed."""

    def __init__(self, net: Net, hello: str, look: SmtpLook, side: ClientTls | None, distrust: str) -> None:
        self._net = net
        self._look = look
        self._side = side
        self._distrust = distrust
        self._client = SmtpClient(hello, wants_tls=side is not None, requires_tls=False)
        self._transport: asyncio.Transport | None = None
        self._events: deque[Event | None] = deque()  # None: the connection is gone
        self._came = asyncio.Event()
        self._early: list[bytes] | None = None  # input while TLS begins
        self._tls: TlsFacts | None = None
        self._unasked = deque(look.recipients)
        self._answers: list[RecipientResult] = []

    async def run(self) -> SmtpSeen:
        try:
            self._transport = await self._net.connect(lambda: self, self._look.endpoint, CONNECT_SECONDS)
            while True:
                seen = await self._act_on(await self._next_event())
                if seen is not None:
                    return seen
        finally:
            if self._transport is not None:
                close_soon(self._transport)

    async def _next_event(self) -> Event | None:
        while len(self._events) == 0:
            self._came.clear()
            await self._came.wait()
        return self._events.popleft()

    async def _act_on(self, event: Event | None) -> SmtpSeen | None:
        match event:
            case TlsWanted():
                await self._start_tls()
            case SessionReady():
                self._ask_next()
            case Done(results):
                self._answers.extend(results)
                self._ask_next()
            case Broken(Cause.GREETING | Cause.SHUTDOWN, reply):
                return TurnedAway(reply)
            case Broken(_, reply):
                return Unreached(reply.text, is_silent=False)
            case Bye():
                return self._visited()
            case _:
                return Unreached("it closed the connection", is_silent=False)
        return None

    def _visited(self) -> Visited:
        return Visited(self._offers, self._tls, self._distrust, tuple(self._answers))

    def _ask_next(self) -> None:
        """The next recipient, or QUIT after the last."""
        if len(self._unasked) > 0:
            self._client.ask_recipient(self._unasked.popleft())
        else:
            self._offers: Extensions = self._client.extensions
            self._client.quit()
        self._flush()

    async def _start_tls(self) -> None:
        assert self._transport is not None
        assert self._side is not None
        try:
            self._transport, self._tls = await self._net.start_tls(
                self._transport, self, self._side, TLS_SECONDS_MAX
            )
        except NetError as error:
            raise TlsFailed(str(error).removeprefix("TLS failed: ")) from error
        self._client.tls_started()
        early, self._early = self._early, None
        self._flush()
        for data in early if early is not None else []:
            self.data_received(data)

    # -- called by the transport

    def data_received(self, data: bytes) -> None:
        if self._early is not None:
            self._early.append(data)
            return
        for event in self._client.feed(data):
            self._events.append(event)
            if isinstance(event, TlsWanted):
                self._early = []
        self._flush()
        self._came.set()

    def connection_lost(self, error: Exception | None) -> None:
        self._events.append(None)
        self._came.set()

    def _flush(self) -> None:
        data = self._client.data_to_send()
        if len(data) > 0 and self._transport is not None:
            self._transport.write(data)
