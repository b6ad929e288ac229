"""Remembers recipients from deliveries to them, so that they are known while the primary is down.

A recipient is stored once a week at most, not once per message. Nothing is learned from a primary
that accepts every address, or may do so as far as is known.
"""

from collections import OrderedDict

from secondpost.config.records import Config, LearnedRecipients
from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.duration import DAY_MS
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.store.ports import CatchAll, Claims, Learned, StoreFull, StoreUnavailable

AGAIN_MS = 7 * DAY_MS
REMEMBERED_MAX = 100_000  # recipients known to be stored lately


class Learning:
    def __init__(self, config: Config, claims: Claims, alarms: StandingAlarms) -> None:
        self._claims = claims
        self._alarms = alarms
        self._delimiters: dict[Domain, str] = {
            backup.domain: backup.delimiters
            for backup in config.backups
            if any(isinstance(source, LearnedRecipients) for source in backup.recipients)
        }
        self._lately: OrderedDict[str, int] = OrderedDict()

    @property
    def domains(self) -> tuple[Domain, ...]:
        """The domains whose recipients are learned."""
        return tuple(self._delimiters)

    def may_learn_of(self, mailbox: Mailbox, now_ms: int) -> bool:
        """Whether a delivery to the mailbox may teach something new."""
        return mailbox.domain in self._delimiters and not self._is_lately(mailbox, now_ms)

    async def learn_from_delivery(self, mailbox: Mailbox, at_ms: int) -> None:
        """Store what the delivery teaches and is not stored: the mailbox, and me@ for me+tag@."""
        plain = mailbox.without_detail(self._delimiters[mailbox.domain])
        for one in (mailbox,) if plain is None else (plain, mailbox):
            if await self._is_news(one, at_ms):
                await self.write(one, True, "delivery", at_ms)

    def _is_lately(self, mailbox: Mailbox, now_ms: int) -> bool:
        learned_ms = self._lately.get(mailbox.key)
        return learned_ms is not None and 0 <= now_ms - learned_ms < AGAIN_MS

    async def _is_news(self, mailbox: Mailbox, now_ms: int) -> bool:
        if self._is_lately(mailbox, now_ms) or not await self._teaches(mailbox.domain):
            return False
        self._lately[mailbox.key] = now_ms
        self._lately.move_to_end(mailbox.key)
        if len(self._lately) > REMEMBERED_MAX:
            self._lately.popitem(last=False)
        return True

    async def _teaches(self, domain: Domain) -> bool:
        try:
            catch_all = await self._claims.catch_all(domain)
        except StoreUnavailable:
            return False
        return catch_all is not None and not catch_all.takes_all

    async def write_catch_all(self, domain: Domain, found: CatchAll) -> None:
        try:
            await self._claims.learn_catch_all(domain, found)
        except (StoreUnavailable, StoreFull) as error:
            self._alarms.begin(AlarmKind.NOT_LEARNED, domain.name, str(error))

    async def write(self, mailbox: Mailbox, known: bool, how: str, now_ms: int) -> None:
        try:
            await self._claims.learn(mailbox, Learned(known, now_ms, how))
        except (StoreUnavailable, StoreFull) as error:
            self._alarms.begin(AlarmKind.NOT_LEARNED, mailbox.domain.name, str(error))
