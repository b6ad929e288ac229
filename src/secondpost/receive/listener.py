"""Listens, accepts or refuses connections, and ends them when the service stops."""

import asyncio

from secondpost.config.records import BareNewlines, Config
from secondpost.mail.address import as_ip
from secondpost.policy.known import AtConnect
from secondpost.protocols.smtp.server import SmtpServer
from secondpost.protocols.smtp.server_limits import Limits
from secondpost.receive.attacks import Attacks
from secondpost.receive.caller_log import CallerLog
from secondpost.receive.callers import Caller, Callers, Pressure
from secondpost.receive.conduct import Conduct
from secondpost.receive.conversation import Conversation
from secondpost.receive.host import Admitted
from secondpost.receive.patience import Patience, hurried_patience, usual_patience
from secondpost.receive.proven import PROVEN_MAX, PROVEN_MS, ProvenNetworks
from secondpost.receive.reception import Reception
from secondpost.store.ports import ProvenPrefix, StoreFull, StoreUnavailable
from secondpost.world.ports import Listening

DRAIN_SECONDS_MAX = 30.0
HAND_OVER_SECONDS_MAX = 3600.0  # for conversations that were there before a successor began
LOOK_SECONDS = 0.05  # between two looks whether all clients have left
LOOK_SECONDS_CALM = 0.5  # while the service goes on


def primary_addresses(config: Config) -> frozenset[str]:
    """Addresses of primaries that are configured by address; names are not looked up here."""
    hosts = (as_ip(primary.host) for backup in config.backups for primary in backup.primary)
    return frozenset(str(host) for host in hosts if host is not None)


class Listener:
    """The receive station: call `open`, then `drain`."""

    def __init__(self, reception: Reception) -> None:
        settings = reception.config.receive
        self._reception = reception
        self._doors: list[Listening] = []
        self._conversations: set[Admitted] = set()
        self._proven = ProvenNetworks()
        self._callers = Callers(
            settings.connections,
            settings.connections_per_client,
            primary_addresses(reception.config),
            lambda link: self._proven.has(link, reception.clock.now_ms()),
        )
        self._conduct = Conduct()
        self.is_leaving = False
        attacks = Attacks(
            reception.alarms,
            asyncio.get_running_loop().time,
            reception.attacks,
            primary_addresses(reception.config),
        )
        self.lines = CallerLog(reception.log, attacks, reception.tally)
        self._usual = usual_patience(settings.timeout_ms / 1000)
        self._hurried = hurried_patience(settings.timeout_ms / 1000)

    @property
    def doors(self) -> tuple[Listening, ...]:
        return tuple(self._doors)

    @property
    def connections(self) -> int:
        """The number of conversations that go on."""
        return len(self._conversations)

    async def open(self) -> None:
        since_ms = self._reception.clock.now_ms() - PROVEN_MS
        self._proven.recall(await self._reception.intake.proven_prefixes(since_ms, PROVEN_MAX))
        for endpoint in self._reception.config.receive.listen:
            self._doors.append(await self._reception.net.listen(self._welcome, endpoint))

    def _welcome(self) -> asyncio.Protocol:
        reception = self._reception
        session = SmtpServer(
            reception.config.hostname,
            Limits(reception.offers.size_max, reception.config.receive.recipients),
            offers_tls=reception.net.offers_tls,
            refuse_bare_newlines=reception.config.receive.bare_newlines is BareNewlines.REFUSE,
        )
        return Conversation(reception, session, self)

    # ------------------------------------------------------------ what conversations ask

    def look(self, caller: Caller) -> AtConnect:
        return self._callers.look(caller)

    def admit(self, conversation: Admitted) -> None:
        before = self._callers.pressure
        self._callers.admit(conversation.caller)
        self._conversations.add(conversation)
        if self._callers.pressure > before:
            for each in self._conversations:
                each.hurry()

    def patience(self, conversation: Admitted) -> Patience:
        pressure = self._callers.pressure
        if pressure is Pressure.NONE:
            return self._usual
        if pressure is Pressure.HIGH or self._conduct.is_idle(conversation.caller):
            return self._hurried
        return self._usual

    def brought_mail(self, conversation: Admitted) -> None:
        """Prove the client's network: a message for known recipients was accepted."""
        caller = conversation.caller
        if caller.is_own:
            return
        proven = self._proven.prove(caller.link, self._reception.clock.now_ms())
        if proven is not None:
            self._reception.background(self._write_down(proven))

    async def _write_down(self, proven: ProvenPrefix) -> None:
        try:
            await self._reception.intake.prove_prefix(proven)
        except (StoreUnavailable, StoreFull):
            return  # proven in memory, until the next start

    def gone(self, conversation: Admitted) -> None:
        if conversation in self._conversations:
            self._conversations.discard(conversation)
            self._callers.leave(conversation.caller)
            self._conduct.ended(conversation.caller, brought_mail=conversation.has_brought_mail)

    async def hand_over(self) -> None:
        """Leave new clients to a successor, which listens on the same sockets, and go on with those
        that are here until they leave, within HAND_OVER_SECONDS_MAX.
        """
        self._close_doors()
        self.is_leaving = True
        # The first look is not at once: a connection just accepted is admitted in a later turn.
        await asyncio.sleep(LOOK_SECONDS_CALM)
        await self._until_all_left(HAND_OVER_SECONDS_MAX, LOOK_SECONDS_CALM)

    async def drain(self) -> None:
        """Stop listening, let each message under way end with its reply, then close all
        connections.
        """
        self._close_doors()
        for conversation in list(self._conversations):
            conversation.drain()
        await self._until_all_left(DRAIN_SECONDS_MAX, LOOK_SECONDS)
        for conversation in list(self._conversations):
            conversation.abort()
        self.lines.end_minute()
        self.lines.attacks.close()

    def _close_doors(self) -> None:
        while len(self._doors) > 0:
            self._doors.pop().close()

    async def _until_all_left(self, seconds_max: float, look_seconds: float) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds_max
        while len(self._conversations) > 0 and loop.time() < until:
            await asyncio.sleep(look_seconds)
