"""The owner's verbs: hold, release, retry, drop, redirect and list deliveries in the spool.

Each verb is an edge of mail/delivery_states that only the owner may take; deliveries in other
states stay as they are. Asking for confirmation is left to the calling command or page.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from secondpost.mail.address import Mailbox
from secondpost.mail.delivery import DeliveryId, KeptFor, State
from secondpost.mail.delivery_states import DeliveryActor, delivery_sources_of
from secondpost.mail.envelope import Lane
from secondpost.mail.queue_id import QueueId
from secondpost.mail.witness import COPIED
from secondpost.store.owner_ports import DeliveryRow, Desk, InState, Selection
from secondpost.world.ports import Clock

PAGE_DELIVERIES = 500  # per read of the store


class OwnerVerb(StrEnum):
    HOLD = "hold"
    RELEASE = "release"
    RETRY = "retry"
    DROP = "drop"
    REDIRECT = "redirect"

    @property
    def past(self) -> str:
        """The word recorded with each delivery (store.owner_ports.DeliveryEvent)."""
        return _PAST[self]

    @property
    def takes(self) -> tuple[State, ...]:
        """The states from which the verb moves a delivery."""
        return _TAKES[self]


_PAST = {
    OwnerVerb.HOLD: "held",
    OwnerVerb.RELEASE: "released",
    OwnerVerb.RETRY: "retried",
    OwnerVerb.DROP: "dropped",
    OwnerVerb.REDIRECT: "redirected",
}
_TO_WAITING = delivery_sources_of(State.WAITING, DeliveryActor.OWNER)
_TAKES = {
    OwnerVerb.HOLD: delivery_sources_of(State.HELD, DeliveryActor.OWNER),
    # What the owner holds needs "release": a retry of everything leaves it held.
    OwnerVerb.RELEASE: tuple(state for state in _TO_WAITING if state is State.HELD),
    OwnerVerb.RETRY: tuple(state for state in _TO_WAITING if state is not State.HELD),
    OwnerVerb.DROP: delivery_sources_of(State.DROPPED, DeliveryActor.OWNER),
    OwnerVerb.REDIRECT: _TO_WAITING,
}


class Standing(StrEnum):
    """A delivery's state as lists show it to the owner."""

    WAITING = "waiting"
    HELD_PRIMARY = "held (primary)"  # waiting, while the backup domain's site is down
    CLAIMED = "claimed"
    HELD_OWNER = "held (owner)"
    HELD_COPY = "held (copy)"  # the store is a copy, and its original may have sent it
    KEPT_EXPIRED = "kept (expired)"
    KEPT_REFUSED = "kept (refused)"
    KEPT_QUARANTINE = "kept (quarantine)"
    DELIVERED = "delivered"
    FAILED = "failed"
    EXPIRED = "expired"
    DROPPED = "dropped"
    FROZEN = "frozen"
    COMMITTING = "committing"
    UNKNOWN = "unknown"
    SUPPRESSED = "suppressed"
    STOPPED = "stopped"


def standing_of(lane: Lane, state: State, site_down: bool, kept_for: KeptFor | None) -> Standing:
    if state is State.WAITING and site_down and lane in (Lane.RELAY, Lane.UNVERIFIED):
        return Standing.HELD_PRIMARY
    if state is State.HELD:
        return Standing.HELD_OWNER
    if kept_for is not None:
        return Standing(f"kept ({kept_for})")
    return Standing(state.value)


def in_state(standing: Standing) -> InState:
    """The store's criteria for deliveries shown as `standing`; WAITING includes those waiting for a
    primary.
    """
    word, _, reason = standing.value.removesuffix(")").partition(" (")
    match standing:
        case Standing.HELD_PRIMARY:
            return InState(State.WAITING, held_by_site=True)
        case Standing.HELD_OWNER | Standing.HELD_COPY:
            return InState(State.HELD)
        case _:
            return InState(State(word), KeptFor(reason) if len(reason) > 0 else None)


def standing(listed: DeliveryRow) -> Standing:
    if listed.state is State.HELD and listed.cause == COPIED:
        return Standing.HELD_COPY
    return standing_of(listed.lane, listed.state, listed.site_down, listed.kept_for)


def is_held(listed: DeliveryRow) -> bool:
    """Whether a delivery waits here for the primary or the owner.

    Redirected ones count too: the new mailbox may refuse them.
    """
    return listed.state in (State.HELD, State.KEPT) or standing(listed) is Standing.HELD_PRIMARY


HOLDABLE = (State.WAITING, State.HELD, State.KEPT)  # states in which is_held may be true


@dataclass(frozen=True, slots=True)
class VerbDone:
    """The number of deliveries that a verb moved."""

    verb: OwnerVerb
    deliveries: int


def _no_waiter() -> None:
    return None


@dataclass(frozen=True, slots=True)
class OwnersDesk:
    """The owner's verbs; `changed` is called when one moved something, since there may be mail to
    deliver.
    """

    desk: Desk
    clock: Clock
    changed: Callable[[], None] = _no_waiter

    async def found(
        self, selection: Selection, after: DeliveryId | None = None
    ) -> AsyncIterator[DeliveryRow]:
        """All selected deliveries after `after`, by id; reads them page by page."""
        page = await self.desk.listed(selection, after, PAGE_DELIVERIES)
        while len(page) > 0:
            for listed in page:
                yield listed
            if len(page) < PAGE_DELIVERIES:
                return
            page = await self.desk.listed(selection, page[-1].id, PAGE_DELIVERIES)

    async def count(self, selection: Selection) -> int:
        return len([listed.id async for listed in self.found(selection)])

    def within_reach(self, verb: OwnerVerb, selection: Selection) -> Selection:
        """The part of the selection that the verb can move."""
        return replace(selection, states=verb.takes)

    async def named(self, messages: tuple[QueueId, ...], deliveries: tuple[DeliveryId, ...]) -> Selection:
        """Select these messages, and these single deliveries of others; a plain Selection would
        mean deliveries in both.
        """
        if len(messages) == 0 or len(deliveries) == 0:
            return Selection(ids=messages, deliveries=deliveries)
        of_messages = [listed.id async for listed in self.found(Selection(ids=messages))]
        return Selection(deliveries=(*of_messages, *deliveries))

    async def hold(self, selection: Selection, why: str) -> VerbDone:
        return await self._lead(OwnerVerb.HOLD, selection, State.HELD, why)

    async def release(self, selection: Selection, why: str) -> VerbDone:
        return await self._lead(OwnerVerb.RELEASE, selection, State.WAITING, why)

    async def retry(self, selection: Selection, why: str) -> VerbDone:
        """Make deliveries due now; those waiting for a site that is down still wait for it."""
        return await self._lead(OwnerVerb.RETRY, selection, State.WAITING, why)

    async def drop(self, selection: Selection, why: str) -> VerbDone:
        return await self._lead(OwnerVerb.DROP, selection, State.DROPPED, why)

    async def redirect(self, selection: Selection, to: Mailbox, why: str) -> VerbDone:
        """Send to another mailbox, in the lane of our own mail: it is no longer the primary's."""
        count = await self.desk.redirect(selection, to, self.clock.now_ms(), why)
        self._tell(count)
        return VerbDone(OwnerVerb.REDIRECT, count)

    async def _lead(self, verb: OwnerVerb, selection: Selection, to: State, why: str) -> VerbDone:
        count = await self.desk.move(selection, verb.takes, to, self.clock.now_ms(), verb.past, why)
        self._tell(count)
        return VerbDone(verb, count)

    def _tell(self, count: int) -> None:
        if count > 0:
            self.changed()
