"""Opens the doors, counts the callers, and sees everyone out when the service ends."""

import asyncio
from collections import Counter

from secondpost.config.records import BareNewlines
from secondpost.mail.address import as_ip
from secondpost.protocols.smtp_server import Limits, SmtpServer
from secondpost.receive.conversation import Conversation
from secondpost.receive.reception import Reception
from secondpost.world.ports import Listening

DRAIN_SECONDS_MAX = 30


class Listener:
    """The receive station as one thing: `open`, then `drain`."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self._doors: list[Listening] = []
        self._conversations: set[Conversation] = set()
        self._by_client: Counter[str] = Counter()
        self._limits = Limits(
            size_max=max((backup.max_size for backup in reception.config.backups), default=50_000_000),
            recipients_max=reception.config.receive.recipients,
        )

    @property
    def doors(self) -> tuple[Listening, ...]:
        return tuple(self._doors)

    async def open(self) -> None:
        for endpoint in self._reception.config.receive.listen:
            self._doors.append(await self._reception.net.listen(self._welcome, endpoint))

    def _welcome(self) -> asyncio.Protocol:
        reception = self._reception
        session = SmtpServer(
            reception.config.hostname.name,
            self._limits,
            offers_tls=reception.net.offers_tls,
            refuse_bare_newlines=reception.config.receive.bare_newlines is BareNewlines.REFUSE,
        )
        return Conversation(reception, session, admits=self._admits, gone=self._gone)

    def _admits(self, caller: Conversation) -> bool:
        """Count the caller in, unless there are too many."""
        address = caller.peer_address
        settings = self._reception.config.receive
        mapped = as_ip(address)
        own = mapped is not None and mapped.is_loopback
        if len(self._conversations) >= settings.connections:
            self._reception.log.refused_connection(address, "too-many-connections")
            return False
        # Loopback is where a proxy, a tunnel or a test stands: many callers behind one address.
        if not own and self._by_client[address] >= settings.connections_per_client:
            self._reception.log.refused_connection(address, "too-many-from-client")
            return False
        self._conversations.add(caller)
        self._by_client[address] += 1
        return True

    def _gone(self, conversation: Conversation) -> None:
        if conversation in self._conversations:
            self._conversations.discard(conversation)
            self._by_client[conversation.peer_address] -= 1
            if self._by_client[conversation.peer_address] == 0:
                del self._by_client[conversation.peer_address]

    async def drain(self) -> None:
        """Close the doors, let every message under way end with its reply, then part."""
        for door in self._doors:
            door.close()
        for conversation in list(self._conversations):
            conversation.drain()
        loop = asyncio.get_running_loop()
        until = loop.time() + DRAIN_SECONDS_MAX
        while len(self._conversations) > 0 and loop.time() < until:
            await asyncio.sleep(0.05)
        for conversation in list(self._conversations):
            conversation.abort()
