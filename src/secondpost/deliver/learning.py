"""Remembers recipients from what was delivered to them: while the primary is down, they are known.

A recipient is written down at most once a week, not once a message. Where the primary takes every address, or
it was not found out yet whether it does, a delivery teaches nothing.
"""

from collections import OrderedDict

from secondpost.config.records import Config, LearnedRecipients
from secondpost.mail.address import Domain, Mailbox
from secondpost.maillog import MailLog
from secondpost.store.ports import CatchAll, Claims, Learned, StoreFull, StoreUnavailable

AGAIN_MS = 7 * 86_400_000
REMEMBERED_MAX = 100_000  # recipients of which we know that they were written down lately


class Learning:
    def __init__(self, config: Config, claims: Claims, log: MailLog) -> None:
        self._claims = claims
        self._log = log
        self._delimiters: dict[Domain, str] = {
            backup.domain: backup.delimiters
            for backup in config.backups
            if any(isinstance(source, LearnedRecipients) for source in backup.recipients)
        }
        self._lately: OrderedDict[str, int] = OrderedDict()

    @property
    def domains(self) -> tuple[Domain, ...]:
        """Those whose recipients are learned."""
        return tuple(self._delimiters)

    def news_of(self, mailbox: Mailbox, now_ms: int) -> Mailbox | None:
        """What a delivery to the mailbox teaches: itself, or me@ for me+tag@; None when it is nothing new."""
        delimiters = self._delimiters.get(mailbox.domain)
        if delimiters is None:
            return None
        plain = mailbox.without_detail(delimiters)
        if plain is None:
            plain = mailbox
        learned_ms = self._lately.get(plain.key)
        if (learned_ms is not None and now_ms - learned_ms < AGAIN_MS) or not self._teaches(mailbox.domain):
            return None
        self._lately[plain.key] = now_ms
        self._lately.move_to_end(plain.key)
        if len(self._lately) > REMEMBERED_MAX:
            self._lately.popitem(last=False)
        return plain

    def _teaches(self, domain: Domain) -> bool:
        try:
            catch_all = self._claims.catch_all(domain)
        except StoreUnavailable:
            return False
        return catch_all is not None and not catch_all.takes_all

    async def write_catch_all(self, domain: Domain, found: CatchAll) -> None:
        try:
            await self._claims.learn_catch_all(domain, found)
        except (StoreUnavailable, StoreFull) as error:
            self._log.alarm("not-learned", f"{domain}: {error}")

    async def write(self, mailbox: Mailbox, known: bool, how: str, now_ms: int) -> None:
        try:
            await self._claims.learn(mailbox, Learned(known, now_ms, how))
        except (StoreUnavailable, StoreFull) as error:
            self._log.alarm("not-learned", f"{mailbox.domain}: {error}")
