"""Let readers leave, be erased, and see all that is kept of them.

Leaving always succeeds and never asks why. The row stays in the state `left`, so that no import
brings the reader back; erasing removes it and keeps only a keyed hash among the suppressed
addresses.
"""

from dataclasses import dataclass

from secondpost.mail.queue_id import QueueId
from secondpost.mail.subscriber import Subscriber, SubscriberId
from secondpost.store.newsletter_ports import ReaderDelivery
from secondpost.store.subscriber_ports import Bounce, ReaderEvent, SignUpOutcome, Subscribers
from secondpost.world.ports import Clock

DELIVERIES_SHOWN_MAX = 1_000
BOUNCES_SHOWN_MAX = 1_000
SIGN_UPS_SHOWN_MAX = 100


@dataclass(frozen=True, slots=True)
class AboutReader:
    """Everything that is kept about one reader."""

    subscriber: Subscriber
    events: tuple[ReaderEvent, ...]
    deliveries: tuple[ReaderDelivery, ...]  # newest first
    bounces: tuple[Bounce, ...]  # newest first
    sign_ups: tuple[SignUpOutcome, ...]  # recent ones, oldest first


@dataclass(frozen=True, slots=True)
class ReadersDesk:
    """The reader's own actions. The caller has verified the reader's identity."""

    subscribers: Subscribers
    clock: Clock

    async def about(self, id: SubscriberId) -> AboutReader | None:
        """Everything kept about the reader; None if there is no such reader."""
        subscriber = await self.subscribers.subscriber(id)
        if subscriber is None:
            return None
        return AboutReader(
            subscriber,
            tuple(await self.subscribers.events_of(id)),
            tuple(await self.subscribers.deliveries_of(id, DELIVERIES_SHOWN_MAX)),
            tuple(await self.subscribers.bounces_of(id, BOUNCES_SHOWN_MAX)),
            tuple(
                await self.subscribers.sign_ups_of(
                    subscriber.newsletter, subscriber.mailbox, SIGN_UPS_SHOWN_MAX
                )
            ),
        )

    async def leave(self, id: SubscriberId, how: str, evidence: QueueId | None = None) -> bool:
        """Mark the reader as left; False if they had left already, which is no error.

        `evidence` is the id of the mail that asked for it.
        """
        return await self.subscribers.leave(id, self.clock.now_ms(), how, evidence)

    async def erase(self, id: SubscriberId) -> bool:
        return await self.subscribers.erase(id, self.clock.now_ms())
