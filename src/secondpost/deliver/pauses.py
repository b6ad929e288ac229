"""Pauses a domain that refuses all our mail, as opposed to certain messages.

Any sender can send three messages through us that a primary refuses by policy. So the primary is
asked whether it accepts mail for its postmaster, which every domain has (RFC 5321 §4.5.1). If so,
only those messages are refused, and the others go on.
"""

from secondpost.deliver.context import DeliveryContext
from secondpost.deliver.recipient_probe import RecipientProbe
from secondpost.deliver.refusal_budget import QUEUE
from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.delivery import Claimed
from secondpost.mail.duration import MINUTE_MS
from secondpost.mail.envelope import Lane
from secondpost.mail.questions import Knowledge

PAUSE_MS = 15 * MINUTE_MS


class Pauses:
    def __init__(self, context: DeliveryContext, recipients: RecipientProbe) -> None:
        self._context = context
        self._recipients = recipients

    async def pause(self, refused: Claimed) -> bool:
        """Pause the domain of `refused`, the last of several messages refused in a row. Returns
        False if it accepts other mail; then the pause is lifted again.
        """
        lane, domain = refused.lane, refused.recipient.domain
        now_ms = self._context.clock.now_ms
        await self._context.sites.pause(lane, domain, now_ms() + PAUSE_MS)
        if lane is Lane.RELAY and await self._takes_mail(domain):
            await self._context.sites.pause(lane, domain, now_ms())
            return False
        if refused.subscriber is None or refused.issue is not None:
            # A refused confirmation proves little: any stranger may have asked for it, at a domain
            # of their own.
            self._context.log.alarm(AlarmKind.DOMAIN_PAUSED, f"{domain} refuses every message of ours")
        return True

    async def _takes_mail(self, domain: Domain) -> bool:
        """Whether the primary answers for its postmaster, be it with "no such mailbox". An
        exhausted budget counts as yes.
        """
        knowledge = await self._recipients.knows(Mailbox("postmaster", domain), QUEUE)
        return knowledge is not Knowledge.UNREACHABLE
