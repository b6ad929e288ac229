"""Sends a self-test through the backup way: into the running service and from there to the primary; or
straight to the primary, by the means of the deliver station but without the store, if no service runs.

The primary is asked first, as far as RCPT. So a message that it would refuse is never queued, and its
replies are seen word for word.
"""

import asyncio
import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from secondpost.compose.self_test import self_test_message
from secondpost.config.records import Config
from secondpost.deliver.recipient_results import knowledge_from
from secondpost.deliver.routes import Routes
from secondpost.mail.address import Endpoint, Mailbox
from secondpost.mail.delivery import State
from secondpost.mail.envelope import Lane, Peer
from secondpost.mail.plan import Hop, Plan, TlsDemand
from secondpost.mail.questions import Knowledge
from secondpost.mail.queue_id import QueueIds, parse_queue_id
from secondpost.receive.trace import date_time, received_line
from secondpost.roles.heard_talk import HeardTalk, Talker
from secondpost.setup.self_test import HandedIn, Met, SelfTest, met_by
from secondpost.spool.desk import OwnersDesk, standing
from secondpost.store.owner_ports import DeliveryRow, Selection

PRIMARY_SECONDS_MAX = 120.0  # for all hosts of the primary together
SERVICE_SECONDS_MAX = 30.0
WATCH_SECONDS_MAX = 60.0  # for the service to deliver what it took
LOOK_SECONDS = 0.2
EVERYWHERE = ("::", "0.0.0.0")  # listeners on all addresses; both are reached over IPv4
ASKS_AGAIN = (Met.TAKEN, Met.GREYLISTED, Met.DEFERRED)  # after which a message may be queued
_QUEUED_AS = re.compile(r"\bqueued as ([0-9a-z]{13})\b")

OpenDesk = Callable[[], AbstractAsyncContextManager[OwnersDesk]]


class SelfTester:
    """`now_ms`: UTC."""

    def __init__(self, config: Config, routes: Routes, talker: Talker, now_ms: int) -> None:
        self._config = config
        self._routes = routes
        self._talker = talker
        self._now_ms = now_ms

    async def send(self, to: Mailbox, token: str, open_desk: OpenDesk) -> SelfTest:
        """Send the message. Raises what opening the store raises, if a service runs."""
        routed = await self._routes.route(Lane.RELAY, to.domain)
        if not isinstance(routed, Plan):
            return SelfTest(to, token, routed)
        message = self_test_message(self._config.hostname, to, token, self._now_ms)
        service = await self._service()
        sent = None if service is not None else self._with_received(to, message)
        talk = await self._talker.talk(routed, to, sent, PRIMARY_SECONDS_MAX)
        met = self._met(talk, to)
        reply = None if talk.result is None else talk.result.reply
        handed_in = None
        if service is not None and met in ASKS_AGAIN:
            handed_in = await self._hand_in(service, to, message, open_desk)
        return SelfTest(to, token, routed, talk.visits, met, reply, handed_in, service is not None)

    def _met(self, talk: HeardTalk, to: Mailbox) -> Met | None:
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
            address = "127.0.0.1" if endpoint.host in EVERYWHERE else endpoint.host
            hop = Hop(self._config.hostname.name, (address,), endpoint.port, TlsDemand.NONE)
            greeting = await self._talker.greeting(hop, Endpoint(address, endpoint.port))
            if greeting.startswith(f"{self._config.hostname} ESMTP"):
                return Plan(hop.name, (hop,))
        return None

    async def _hand_in(self, service: Plan, to: Mailbox, message: bytes, open_desk: OpenDesk) -> HandedIn:
        talk = await self._talker.talk(service, to, message, SERVICE_SECONDS_MAX)
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


def _is_settled(row: DeliveryRow) -> bool:
    if row.state is State.WAITING:
        return row.attempts > 0 or row.site_down
    return row.state is not State.CLAIMED
