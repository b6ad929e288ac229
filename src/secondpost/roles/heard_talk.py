"""Speaks to one server as the deliver station does, and keeps what was said: a message, or only the
question whether its recipient would be accepted.
"""

import asyncio
from dataclasses import dataclass

from secondpost.config.records import Config
from secondpost.deliver.connection import Connection
from secondpost.deliver.entrances import Entrances
from secondpost.deliver.logins import Logins
from secondpost.deliver.message import Job, Prepared
from secondpost.deliver.opening import Opener
from secondpost.deliver.unopened import Unopened
from secondpost.mail.address import NULL_PATH, Endpoint, Mailbox
from secondpost.mail.delivery import Claimed, DeliveryId
from secondpost.mail.envelope import Lane
from secondpost.mail.outcome import Cause
from secondpost.mail.plan import Hop, Plan
from secondpost.mail.queue_id import QueueIds
from secondpost.mail.reply import Reply
from secondpost.protocols.smtp.client import RecipientResult
from secondpost.roles.heard_net import HeardNet, HeardSession
from secondpost.setup.self_test import HostVisit
from secondpost.world.background import Background
from secondpost.world.real.certificates import certificate_facts

CONNECT_SECONDS = 10.0


class _OneAnswer:
    """Holds a connection until one question or message is answered; None if the connection broke."""

    def __init__(self) -> None:
        self.came: asyncio.Future[RecipientResult | None] = asyncio.get_running_loop().create_future()

    def answered(self, result: RecipientResult) -> None:
        self._settle(result)

    def message_done(self, connection: Connection, job: Job, results: tuple[RecipientResult, ...]) -> None:
        self._settle(results[0])

    def connection_broken(self, connection: Connection, cause: Cause, reply: Reply) -> None:
        self._settle(None)

    def _settle(self, result: RecipientResult | None) -> None:
        if not self.came.done():
            self.came.set_result(result)


@dataclass(frozen=True, slots=True)
class HeardTalk:
    """What came of one message, or of one question without a message."""

    visits: tuple[HostVisit, ...]
    is_open: bool
    result: RecipientResult | None


class Talker:
    """Talks over `net`, which its caller closes. `now_ms`: UTC."""

    def __init__(
        self, config: Config, net: HeardNet, logins: Logins, background: Background, now_ms: int
    ) -> None:
        self._net = net
        self._now_ms = now_ms
        self._opener = Opener(
            net,
            config.hostname.name,
            background,
            Entrances(config.deliver.connections_per_site),
            logins,
            lambda site, extensions: None,
            CONNECT_SECONDS,
        )

    async def greeting(self, hop: Hop, endpoint: Endpoint) -> str:
        """How a server greets us; "" if it does not let us in."""
        opened = await self._opener.open_one(hop, endpoint, _OneAnswer())
        if not isinstance(opened, Connection):
            return ""
        await self._quit(opened)
        return self._visit(self._net.heard[-1], (hop,)).greeting

    async def talk(self, plan: Plan, to: Mailbox, message: bytes | None, seconds_max: float) -> HeardTalk:
        """Send the message to the first host that lets us in; without one, ask as far as RCPT."""
        begin = len(self._net.heard)
        answer = _OneAnswer()
        is_open, result = False, None
        try:
            async with asyncio.timeout(seconds_max):
                opened = await self._open(plan, answer)
                is_open = opened is not None
                if opened is not None:
                    result = await self._answer(opened, answer, to, message)
        except TimeoutError:
            for heard in self._net.heard[begin:][-1:]:
                heard.failure = "no answer in time"
        visits = tuple(self._visit(heard, plan.hops) for heard in self._net.heard[begin:])
        return HeardTalk(visits, is_open, result)

    async def _open(self, plan: Plan, answer: _OneAnswer) -> Connection | None:
        for hop in plan.hops:
            for endpoint in hop.endpoints():
                opened = await self._opener.open_one(hop, endpoint, answer)
                if isinstance(opened, Connection):
                    return opened
                self._note_failure(endpoint, opened)
        return None

    def _note_failure(self, endpoint: Endpoint, opened: Unopened) -> None:
        """A login that must not be tried now ends before there is a connection."""
        if len(self._net.heard) == 0 or self._net.heard[-1].endpoint != endpoint:
            self._net.heard.append(HeardSession(endpoint))
        if len(self._net.heard[-1].failure) == 0:
            self._net.heard[-1].failure = opened.reply.text

    async def _answer(
        self, opened: Connection, answer: _OneAnswer, to: Mailbox, message: bytes | None
    ) -> RecipientResult | None:
        try:
            if message is None:
                opened.ask(to, answer.answered)
            else:
                opened.send(Prepared(Job((_claimed(to, len(message), self._now_ms),)), message), answer)
            result = await answer.came
        except BaseException:
            opened.abort()
            raise
        await self._quit(opened)
        return result

    async def _quit(self, opened: Connection) -> None:
        """Wait until QUIT is answered, which a connection does no longer than QUIT_SECONDS."""
        opened.quit()
        await self._net.heard[-1].over.wait()

    def _visit(self, heard: HeardSession, hops: tuple[Hop, ...]) -> HostVisit:
        address = heard.endpoint.host
        name = next((hop.at(address) for hop in hops if address in hop.addresses), address)
        certificate = None if heard.tls is None else certificate_facts(heard.tls.certificate)
        exchanges = tuple(heard.transcript.exchanges)
        return HostVisit(name, exchanges, heard.tls, certificate, heard.failure)


def _claimed(to: Mailbox, size: int, now_ms: int) -> Claimed:
    return Claimed(
        id=DeliveryId(QueueIds(0).next(now_ms), 1),
        lane=Lane.RELAY,
        origin=Lane.RELAY,
        sender=NULL_PATH,
        recipient=to,
        size=size,
        file=None,
        eight_bit=False,
        arrived_ms=now_ms,
        attempts=0,
        first_attempt_ms=None,
        maybe_duplicate=False,
    )
