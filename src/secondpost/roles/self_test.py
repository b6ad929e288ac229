"""Sends a self-test through the backup way: into the running service and from there to the primary; or
straight to the primary, by the means of the deliver station but without the store, if no service runs.

The primary is asked first, as far as RCPT. So a message that it would refuse is never queued, and its
replies are seen word for word.
"""

import asyncio
import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from secondpost.compose.self_test import self_test_message
from secondpost.config.records import Config
from secondpost.deliver.connection import Connection
from secondpost.deliver.entrances import Entrances
from secondpost.deliver.logins import Logins
from secondpost.deliver.message import Job, Prepared
from secondpost.deliver.opening import Opener
from secondpost.deliver.recipient_results import knowledge_from
from secondpost.deliver.routes import Routes
from secondpost.deliver.unopened import Unopened
from secondpost.mail.address import NULL_PATH, Endpoint, Mailbox
from secondpost.mail.delivery import Claimed, DeliveryId, State
from secondpost.mail.envelope import Lane, Peer
from secondpost.mail.outcome import Cause
from secondpost.mail.plan import Hop, Plan, TlsDemand
from secondpost.mail.questions import Knowledge
from secondpost.mail.queue_id import QueueIds, parse_queue_id
from secondpost.mail.reply import Reply
from secondpost.protocols.smtp.client import RecipientResult
from secondpost.receive.trace import date_time, received_line
from secondpost.roles.heard_net import HeardNet, HeardSession
from secondpost.route.hosts import Ourselves
from secondpost.setup.self_test import HandedIn, HostVisit, Met, SelfTest, met_by
from secondpost.spool.desk import OwnersDesk, standing
from secondpost.store.owner_ports import DeliveryRow, Selection
from secondpost.world.asking import Answerer
from secondpost.world.background import BackgroundTasks

CONNECT_SECONDS = 10.0
PRIMARY_SECONDS_MAX = 120.0  # for all hosts of the primary together
SERVICE_SECONDS_MAX = 30.0
WATCH_SECONDS_MAX = 60.0  # for the service to deliver what it took
LOOK_SECONDS = 0.2
LOOPBACK = {"::": "::1", "0.0.0.0": "127.0.0.1"}  # where a listener on all addresses is reached
ASKS_AGAIN = (Met.TAKEN, Met.GREYLISTED, Met.DEFERRED)  # after which a message may be queued
_QUEUED_AS = re.compile(r"\bqueued as ([0-9a-z]{13})\b")

OpenDesk = Callable[[], AbstractAsyncContextManager[OwnersDesk]]


class _Answer:
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
class _Talk:
    """What came of one message, or of one question without a message."""

    visits: tuple[HostVisit, ...]
    is_open: bool
    result: RecipientResult | None


class SelfTester:
    """`net` is closed by the caller. `now_ms`: UTC."""

    def __init__(
        self, config: Config, net: HeardNet, answerer: Answerer, us: Ourselves, logins: Logins, now_ms: int
    ) -> None:
        self._config = config
        self._net = net
        self._routes = Routes(config, answerer, us)
        self._logins = logins
        self._now_ms = now_ms
        self._failures: list[BaseException] = []
        self._background = BackgroundTasks(self._failures.append)

    async def send(self, to: Mailbox, token: str, open_desk: OpenDesk) -> SelfTest:
        """Send the message. Raises what opening the store raises, if a service runs."""
        routed = await self._routes.route(Lane.RELAY, to.domain)
        if not isinstance(routed, Plan):
            return SelfTest(to, token, routed)
        message = self_test_message(self._config.hostname, to, token, self._now_ms)
        service = await self._service()
        sent = None if service is not None else self._with_received(to, message)
        talk = await self._talk(routed, to, sent, PRIMARY_SECONDS_MAX)
        met = self._met(talk, to)
        reply = None if talk.result is None else talk.result.reply
        handed_in = None
        if service is not None and met in ASKS_AGAIN:
            handed_in = await self._hand_in(service, to, message, open_desk)
        return SelfTest(to, token, routed, talk.visits, met, reply, handed_in)

    def _met(self, talk: _Talk, to: Mailbox) -> Met | None:
        if not talk.is_open:
            return None
        if talk.result is None:
            return Met.LOST
        return met_by(talk.result, knowledge_from(talk.result, to) is Knowledge.UNKNOWN)

    def _with_received(self, to: Mailbox, message: bytes) -> bytes:
        """The message with the line that the receive station would have added."""
        host = self._config.hostname
        peer = Peer("127.0.0.1", host.name, "ESMTP")
        queue_id = QueueIds(0).next(self._now_ms)
        return received_line(peer, host, queue_id, (to,), date_time(self._now_ms)) + message

    # ------------------------------------------------------------ the running service

    async def _service(self) -> Plan | None:
        """Where our own service listens; None if it does not run."""
        for endpoint in self._config.receive.listen:
            address = LOOPBACK.get(endpoint.host, endpoint.host)
            hop = Hop(self._config.hostname.name, (address,), endpoint.port, TlsDemand.NONE)
            opened = await self._opener().open_one(hop, Endpoint(address, endpoint.port), _Answer())
            if isinstance(opened, Connection):
                visit = self._visit(self._net.heard[-1], (hop,))
                await self._quit(opened)
                if visit.greeting.startswith(f"{self._config.hostname} ESMTP"):
                    return Plan(hop.name, (hop,))
        return None

    async def _hand_in(self, service: Plan, to: Mailbox, message: bytes, open_desk: OpenDesk) -> HandedIn:
        talk = await self._talk(service, to, message, SERVICE_SECONDS_MAX)
        visit = talk.visits[-1]
        if talk.result is None:
            return HandedIn(visit, "", visit.failure)
        reply = str(talk.result.reply)
        queued = _QUEUED_AS.search(reply)
        if queued is None:
            return HandedIn(visit, "", reply)
        async with open_desk() as desk:
            row = await self._watch(desk, queued[1])
        if row is None:
            return HandedIn(visit, queued[1], reply, "not in this store")
        said = "" if len(row.reply) == 0 else f"{row.host} said: {row.reply}"
        return HandedIn(visit, queued[1], reply, standing(row).value, said)

    async def _watch(self, desk: OwnersDesk, queue_id: str) -> DeliveryRow | None:
        """The delivery once it was tried, or as it stands after WATCH_SECONDS_MAX."""
        selection = Selection(ids=(parse_queue_id(queue_id),))
        loop = asyncio.get_running_loop()
        until = loop.time() + WATCH_SECONDS_MAX
        while True:
            found = [row async for row in desk.found(selection)]
            if len(found) == 0 or loop.time() >= until or _is_settled(found[0]):
                return found[0] if len(found) > 0 else None
            await asyncio.sleep(LOOK_SECONDS)

    # ------------------------------------------------------------ a conversation

    def _opener(self) -> Opener:
        return Opener(
            self._net,
            self._config.hostname.name,
            self._background.run,
            Entrances(self._config.deliver.connections_per_site),
            self._logins,
            lambda site, extensions: None,
            CONNECT_SECONDS,
        )

    async def _talk(self, plan: Plan, to: Mailbox, message: bytes | None, seconds_max: float) -> _Talk:
        """Send the message to the first host that lets us in; without one, ask as far as RCPT."""
        begin = len(self._net.heard)
        answer = _Answer()
        is_open, result = False, None
        try:
            async with asyncio.timeout(seconds_max):
                opened = await self._open(plan, answer)
                is_open = opened is not None
                if opened is not None:
                    result = await self._answer(opened, answer, to, message)
        except TimeoutError:
            self._net.heard[-1].failure = "no answer in time"
        visits = tuple(self._visit(heard, plan.hops) for heard in self._net.heard[begin:])
        return _Talk(visits, is_open, result)

    async def _open(self, plan: Plan, answer: _Answer) -> Connection | None:
        opener = self._opener()
        for hop in plan.hops:
            for endpoint in hop.endpoints():
                opened = await opener.open_one(hop, endpoint, answer)
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
        self, opened: Connection, answer: _Answer, to: Mailbox, message: bytes | None
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
        return HostVisit(name, tuple(heard.transcript.exchanges), heard.tls, heard.failure)


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


def _is_settled(row: DeliveryRow) -> bool:
    if row.state is State.WAITING:
        return row.attempts > 0 or row.site_down
    return row.state is not State.CLAIMED
