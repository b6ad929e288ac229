"""Let readers leave, be erased, and see all that is kept of them.

Leaving always succeeds and never asks why. The row stays in the state `left`, so that no import
brings the reader back; erasing removes it and keeps only a keyed hash among the suppressed
addresses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from secondpost.mail.queue_id import QueueId
from secondpost.mail.subscriber import Consent, Subscriber, SubscriberId
from secondpost.store.newsletter_ports import ReaderDelivery
from secondpost.store.subscriber_ports import Bounce, ReaderEvent, SignUpOutcome, Subscribers
from secondpost.world.ports import Clock

DELIVERIES_SHOWN_MAX = 1_000
BOUNCES_SHOWN_MAX = 1_000
SIGN_UPS_SHOWN_MAX = 100

Json = None | str | int | bool | Sequence["Json"] | Mapping[str, "Json"]


@dataclass(frozen=True, slots=True)
class AboutReader:
    """Everything that is kept about one reader."""

    subscriber: Subscriber
    events: tuple[ReaderEvent, ...]
    deliveries: tuple[ReaderDelivery, ...]  # newest first
    bounces: tuple[Bounce, ...]  # newest first
    sign_ups: tuple[SignUpOutcome, ...]  # recent ones, oldest first

    def document(self) -> Json:
        """Everything kept about the reader, as JSON for export (GDPR articles 15 and 20)."""
        one = self.subscriber
        return {
            "newsletter": one.newsletter,
            "address": str(one.mailbox),
            "state": one.state.value,
            "since": moment_text(one.since_ms),
            "created": moment_text(one.created_ms),
            "agreed": _agreed(one.consent),
            "attributes": dict(one.attributes),
            "events": [
                {
                    "at": moment_text(event.at_ms),
                    "what": event.what,
                    "state": event.state.value,
                    "detail": event.detail,
                    "agreed": _agreed(event.consent),
                }
                for event in self.events
            ],
            "mails": [
                {
                    "id": str(delivery.id),
                    "kind": "confirmation" if delivery.issue is None else "issue",
                    "state": delivery.state.value,
                    "at": None if delivery.last_ms is None else moment_text(delivery.last_ms),
                }
                for delivery in self.deliveries
            ],
            "returned": [
                {
                    "at": moment_text(bounce.at_ms),
                    "kind": bounce.kind.value,
                    "status": bounce.status,
                    "text": bounce.text,
                }
                for bounce in self.bounces
            ],
            "sign_ups": [
                {
                    "at": moment_text(one.at_ms),
                    "how": one.how,
                    "outcome": one.outcome.value,
                    "confirmed": one.is_confirmed,
                }
                for one in self.sign_ups
            ],
        }


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


def moment_text(milliseconds: int) -> str:
    """Milliseconds since the epoch as ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(milliseconds // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _agreed(consent: Consent | None) -> Json:
    if consent is None:
        return None
    return {
        "where": consent.where,
        "how": consent.how,
        "text": consent.text,
        "at": moment_text(consent.at_ms),
        "network": consent.address_prefix,
    }
