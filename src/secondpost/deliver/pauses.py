"""Pauses a domain that refuses all our mail, as opposed to certain messages.

Any sender can send three messages through us that a primary refuses by policy. So the primary is
asked whether it accepts mail for its postmaster, which every domain has (RFC 5321 §4.5.1). If so,
only those messages are refused, and the others go on.
"""

from collections.abc import Collection

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
PAUSED_MAX = 1_000


class Pauses:
    def __init__(self, context: DeliveryContext, recipients: RecipientProbe) -> None:
        self._context = context
        self._recipients = recipients
        self._paused: dict[tuple[Lane, Domain], None] = {}  # that the owner is alarmed of, in order

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
            if len(self._paused) < PAUSED_MAX:
                self._paused[lane, domain] = None
            detail = f"{domain} refuses every message of ours"
            self._context.alarms.begin(AlarmKind.DOMAIN_PAUSED, _subject(lane, domain), detail)
        return True

    def over(self, lane: Lane, domain: Domain) -> None:
        """End the alarm: mail of the domain gets through again."""
        if (lane, domain) not in self._paused:
            return
        del self._paused[lane, domain]
        subject = _subject(lane, domain)
        if all(_subject(*each) != subject for each in self._paused):
            self._context.alarms.end(AlarmKind.DOMAIN_PAUSED, subject)

    def look(self, waiting: Collection[tuple[Lane, Domain]]) -> None:
        """End the alarms about domains without waiting mail."""
        if len(self._paused) == 0:
            return
        still = frozenset(waiting)
        for lane, domain in tuple(self._paused):
            if (lane, domain) not in still:
                self.over(lane, domain)

    async def _takes_mail(self, domain: Domain) -> bool:
        """Whether the primary answers for its postmaster, be it with "no such mailbox". An
        exhausted budget counts as yes.
        """
        knowledge = await self._recipients.knows(Mailbox("postmaster", domain), QUEUE)
        return knowledge is not Knowledge.UNREACHABLE


def _subject(lane: Lane, domain: Domain) -> str:
    """What the alarm is about: a backup domain, or all mail of another lane, since readers choose
    their domains.
    """
    return domain.name if lane is Lane.RELAY else lane.value
