"""Remembers recipients from what was delivered to them: while the primary is down, they are known.

A recipient is written down at most once a week, not once a message.
"""

from collections import OrderedDict

from secondpost.config.records import Config, LearnedRecipients
from secondpost.mail.address import Domain, Mailbox
from secondpost.maillog import MailLog
from secondpost.store.ports import Claims, Learned, StoreFull, StoreUnavailable

AGAIN_MS = 7 * 86_400_000
REMEMBERED_MAX = 100_000  # recipients of which we know that they were written down lately


class Learning:
    def __init__(self, config: Config, claims: Claims, log: MailLog) -> None:
        self._claims = claims
        self._log = log
        self._learns: frozenset[Domain] = frozenset(
            backup.domain
            for backup in config.backups
            if any(isinstance(source, LearnedRecipients) for source in backup.recipients)
        )
        self._lately: OrderedDict[str, int] = OrderedDict()

    def is_news(self, mailbox: Mailbox, now_ms: int) -> bool:
        """Whether `write` should be called: it learns there, and has not lately."""
        if mailbox.domain not in self._learns:
            return False
        learned_ms = self._lately.get(mailbox.key)
        if learned_ms is not None and now_ms - learned_ms < AGAIN_MS:
            return False
        self._lately[mailbox.key] = now_ms
        self._lately.move_to_end(mailbox.key)
        if len(self._lately) > REMEMBERED_MAX:
            self._lately.popitem(last=False)
        return True

    async def write(self, mailbox: Mailbox, known: bool, how: str, now_ms: int) -> None:
        try:
            await self._claims.learn(mailbox, Learned(known, now_ms, how))
        except (StoreUnavailable, StoreFull) as error:
            self._log.alarm("not-learned", f"{mailbox.domain}: {error}")
