"""Finds out which primaries accept every address: each is asked once a day about a mailbox that
cannot exist.

If it accepts that one, it proves nothing by accepting others, and nothing is learned from it.
"""

from base64 import b32encode

from secondpost.deliver.context import DeliveryContext
from secondpost.deliver.recipient_results import is_refusal
from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.duration import DAY_MS, HOUR_MS
from secondpost.protocols.smtp.client import RecipientResult
from secondpost.store.ports import CatchAll

BELIEVED_MS = DAY_MS
AGAIN_MS = HOUR_MS  # after an inconclusive reply
RANDOM_OCTETS = 10  # of a local part that cannot exist


class CatchAlls:
    def __init__(self, context: DeliveryContext) -> None:
        self._context = context
        self._asked_ms: dict[Domain, int] = {}

    async def is_due(self, domain: Domain) -> bool:
        """Whether to ask the domain's primary now. Raises StoreUnavailable."""
        now_ms = self._context.clock.now_ms()
        known, asked_ms = await self._context.claims.catch_all(domain), self._asked_ms.get(domain)
        if known is not None and 0 <= now_ms - known.at_ms < BELIEVED_MS:
            return False
        return asked_ms is None or not 0 <= now_ms - asked_ms < AGAIN_MS

    async def takes_all(self, domain: Domain) -> bool | None:
        """None: not known. Raises StoreUnavailable."""
        known = await self._context.claims.catch_all(domain)
        return None if known is None else known.takes_all

    def mailbox_at(self, domain: Domain) -> Mailbox:
        """A mailbox at the domain that cannot exist."""
        return Mailbox(b32encode(self._context.dice.token(RANDOM_OCTETS)).decode("ascii").lower(), domain)

    async def note(self, domain: Domain, result: RecipientResult) -> None:
        """Record the primary's answer for that mailbox."""
        now_ms = self._context.clock.now_ms()
        self._asked_ms[domain] = now_ms
        if result.reply.is_positive or is_refusal(result):
            found = CatchAll(result.reply.is_positive, now_ms)
            await self._context.learning.write_catch_all(domain, found)
