"""The part of the deliver role that tells the owner of alarms."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from secondpost.mail.address import Domain
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.subscriber import SubscriberState
from secondpost.protocols.alarm_statements import Stated
from secondpost.protocols.dkim.signing import SigningKey, signed
from secondpost.roles.origins import origin_lookup
from secondpost.roles.parts import POSTS, Parts, opened
from secondpost.store.newsletter_store_ports import NewsletterStore
from secondpost.store.ports import StoreFull, StoreUnavailable
from secondpost.watch.alarm_desk import AlarmDesk, MailToOwner
from secondpost.watch.approvals import ApprovalsWatch
from secondpost.watch.arrivals import ArrivalsWatch
from secondpost.watch.roll import AlarmRoll
from secondpost.watch.webhook import Webhook
from secondpost.world.background import Background
from secondpost.world.ports import Listening
from secondpost.world.sockets.alarms import ALARMS, AlarmListener
from secondpost.world.sockets.posts import PostAsker


def signer_of(keys: Sequence[SigningKey], domain: Domain) -> Callable[[bytes, int], bytes]:
    """Signs a message dated then; without keys the message stays as it is."""

    def sign(message: bytes, dated_ms: int) -> bytes:
        return message if len(keys) == 0 else signed(message, keys, domain, dated_ms // 1000)

    return sign


class OwnersWatch:
    """Hears what stands in the other processes; `sent` is called when there is mail to the owner."""

    def __init__(self, parts: Parts, sent: Callable[[], None], background: Background) -> None:
        config, world, store = parts.config, parts.world, opened(parts.mail)
        self._net, self._path = world.net, world.disk.path(ALARMS)
        self._seconds = parts.rhythms.alarms_seconds
        self._background = background
        self._roll = AlarmRoll(world.clock.now_ms)
        self._listener = AlarmListener(self._heard, self._roll.left)
        own_mail = MailToOwner(config, store.ids, signer_of(parts.own_keys, config.hostname), store)
        self._desk = AlarmDesk(
            config, store, world.clock, self._roll, parts.alarms, own_mail, self._newsletters, sent
        )
        self._config, self._readers = config, parts.readers
        self._alarms = parts.alarms
        self._arrivals = ArrivalsWatch(config, store, store, world.clock, parts.alarms, origin_lookup(parts))
        # Tests let hours pass faster.
        self._arrivals_seconds = min(parts.rhythms.arrivals_seconds, max(0.1, config.watch.hour_ms / 6000))
        self._approvals: ApprovalsWatch | None = None
        if parts.readers is not None:
            self._approvals = ApprovalsWatch(
                config, parts.readers, store, world.clock, world.dice, own_mail, sent
            )
        self._webhook: Webhook | None = None
        if config.alarms.webhook is not None:
            asker = PostAsker(world.net, world.disk.path(POSTS))
            self._webhook = Webhook(store, world.clock, parts.alarms, asker.post)
        self._doors: list[Listening] = []

    async def _newsletters(self) -> Sequence[str]:
        """For reports: the readers of each newsletter, and what became of its last issue."""
        if self._readers is None:
            return ()
        return [await _newsletter_line(self._readers, one.name) for one in self._config.newsletters]

    def _heard(self, connection: int, said: Stated) -> None:
        self._roll.heard(connection, said)
        self._desk.changed()

    async def start(self) -> None:
        self._doors.append(await self._listener.open(self._net, self._path))
        self._background(self._desk.run(self._seconds))
        self._background(self._every(self._arrivals_seconds, self._arrivals.look))
        if self._approvals is not None:
            self._background(self._every(self._seconds, self._approvals.look))
        if self._webhook is not None:
            self._background(self._every(self._seconds, self._webhook.send_due))

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await work()
            except (StoreUnavailable, StoreFull) as error:
                self._alarms.begin(AlarmKind.HOUSEKEEPING_WAITS, "", str(error))

    def stop_listening(self) -> None:
        """Processes state their alarms to a successor from now on."""
        while len(self._doors) > 0:
            self._doors.pop().close()
        self._listener.close()


async def _newsletter_line(store: NewsletterStore, name: str) -> str:
    readers = (await store.reader_counts(name))[SubscriberState.ACTIVE]
    line = f"Newsletter {name}: {readers:,} readers."
    for issue in await store.issues(name, None, 1):
        counts = await store.reckoning(issue.id)
        failed = counts.failed + counts.expired + counts.unknown
        line += (
            f" Issue {issue.number}: {counts.delivered:,} of {counts.planned:,} delivered, {failed:,} failed."
        )
    return line
