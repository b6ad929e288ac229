"""The states of a delivery and their transitions (design §4).

docs/states.md is checked against this table.
"""

from dataclasses import dataclass
from enum import StrEnum

from secondpost.mail.delivery import State


class DeliveryActor(StrEnum):
    """The actor of a transition."""

    RECEIVE = "receive"
    DELIVER = "deliver"
    PUBLISH = "publish"  # the newsletter: its role, and `issue stop`
    RETRY = "retry"  # the owner allows one more attempt after UNKNOWN
    SWEEP = "sweep"  # after a worker died
    CLOCK = "clock"  # a time limit was reached
    OWNER = "owner"
    COPY = "copy"  # the database is a copy, and does not know what its original has sent since
    ACCEPT = "accept"  # the owner accepts a copy


@dataclass(frozen=True, slots=True)
class DeliveryEdge:
    source: State | None  # None: the delivery is created
    target: State
    by: DeliveryActor
    when: str


DELIVERY_EDGES: tuple[DeliveryEdge, ...] = (
    DeliveryEdge(None, State.WAITING, DeliveryActor.RECEIVE, "accepted: synced before the 250"),
    DeliveryEdge(None, State.KEPT, DeliveryActor.RECEIVE, "accepted into quarantine, by an earlier version"),
    DeliveryEdge(
        State.WAITING, State.CLAIMED, DeliveryActor.DELIVER, "due, its site not down, under a lease"
    ),
    DeliveryEdge(State.CLAIMED, State.DELIVERED, DeliveryActor.DELIVER, "the next server answered 250"),
    DeliveryEdge(
        State.CLAIMED,
        State.WAITING,
        DeliveryActor.DELIVER,
        "deferred, with its cause, its level and its next time",
    ),
    DeliveryEdge(
        State.CLAIMED,
        State.KEPT,
        DeliveryActor.DELIVER,
        "a backup domain's mail was refused, or its time is over",
    ),
    DeliveryEdge(
        State.CLAIMED, State.FAILED, DeliveryActor.DELIVER, "refused for good (own and submitted mail)"
    ),
    DeliveryEdge(
        State.CLAIMED,
        State.EXPIRED,
        DeliveryActor.DELIVER,
        "deferred, and its time is over (own mail, mail to readers)",
    ),
    DeliveryEdge(
        State.CLAIMED,
        State.WAITING,
        DeliveryActor.SWEEP,
        "its worker died: waiting again, with maybe_duplicate",
    ),
    DeliveryEdge(
        State.WAITING, State.KEPT, DeliveryActor.CLOCK, "a backup domain's mail waited longer than `keep`"
    ),
    DeliveryEdge(
        State.WAITING,
        State.EXPIRED,
        DeliveryActor.CLOCK,
        "own mail waited too long; an issue's since its first attempt",
    ),
    DeliveryEdge(
        State.KEPT,
        State.DROPPED,
        DeliveryActor.CLOCK,
        "refused by the primary, and kept for `keep_refused` or pushed out by newer",
    ),
    DeliveryEdge(State.WAITING, State.HELD, DeliveryActor.OWNER, "queue hold"),
    DeliveryEdge(State.HELD, State.WAITING, DeliveryActor.OWNER, "queue release"),
    DeliveryEdge(State.KEPT, State.WAITING, DeliveryActor.OWNER, "queue retry"),
    DeliveryEdge(State.WAITING, State.WAITING, DeliveryActor.OWNER, "queue retry, or redirected: due now"),
    DeliveryEdge(State.HELD, State.DROPPED, DeliveryActor.OWNER, "queue drop"),
    DeliveryEdge(State.KEPT, State.DROPPED, DeliveryActor.OWNER, "queue drop"),
    DeliveryEdge(State.WAITING, State.DROPPED, DeliveryActor.OWNER, "queue drop"),
    # Mail to readers.
    DeliveryEdge(
        None, State.WAITING, DeliveryActor.PUBLISH, "a confirmation, with the sign-up that asks for it"
    ),
    DeliveryEdge(None, State.FROZEN, DeliveryActor.PUBLISH, "an issue is frozen: one for every reader"),
    DeliveryEdge(State.FROZEN, State.WAITING, DeliveryActor.PUBLISH, "the issue is sending"),
    DeliveryEdge(State.FROZEN, State.STOPPED, DeliveryActor.PUBLISH, "issue stop"),
    DeliveryEdge(State.WAITING, State.STOPPED, DeliveryActor.PUBLISH, "issue stop"),
    DeliveryEdge(State.HELD, State.STOPPED, DeliveryActor.PUBLISH, "issue stop"),
    DeliveryEdge(
        State.WAITING,
        State.SUPPRESSED,
        DeliveryActor.DELIVER,
        "about to be claimed: its reader left or was suppressed",
    ),
    DeliveryEdge(
        State.WAITING, State.STOPPED, DeliveryActor.DELIVER, "about to be claimed: its issue was stopped"
    ),
    DeliveryEdge(State.WAITING, State.HELD, DeliveryActor.DELIVER, "about to be claimed: its issue is held"),
    DeliveryEdge(State.CLAIMED, State.HELD, DeliveryActor.DELIVER, "before the dot: its issue is held"),
    DeliveryEdge(State.HELD, State.WAITING, DeliveryActor.PUBLISH, "issue resume"),
    DeliveryEdge(
        State.CLAIMED, State.COMMITTING, DeliveryActor.DELIVER, "of an issue: durable before the final dot"
    ),
    DeliveryEdge(
        State.CLAIMED,
        State.SUPPRESSED,
        DeliveryActor.DELIVER,
        "before the dot: its reader left or was suppressed",
    ),
    DeliveryEdge(
        State.CLAIMED, State.STOPPED, DeliveryActor.DELIVER, "before the dot: its issue was stopped"
    ),
    DeliveryEdge(State.COMMITTING, State.DELIVERED, DeliveryActor.DELIVER, "the next server answered 250"),
    DeliveryEdge(
        State.COMMITTING,
        State.WAITING,
        DeliveryActor.DELIVER,
        "the next server answered 4xx: it does not have it",
    ),
    DeliveryEdge(
        State.COMMITTING,
        State.FAILED,
        DeliveryActor.DELIVER,
        "the next server answered 5xx: it does not have it",
    ),
    DeliveryEdge(
        State.COMMITTING,
        State.EXPIRED,
        DeliveryActor.DELIVER,
        "the next server answered 4xx, and its time is over",
    ),
    DeliveryEdge(
        State.COMMITTING, State.UNKNOWN, DeliveryActor.DELIVER, "no answer to the dot that can be understood"
    ),
    DeliveryEdge(
        State.COMMITTING, State.UNKNOWN, DeliveryActor.SWEEP, "its worker died: the outcome is unknown"
    ),
    DeliveryEdge(State.UNKNOWN, State.WAITING, DeliveryActor.RETRY, "the owner allowed one retry"),
    # In a copy of the store.
    DeliveryEdge(State.WAITING, State.HELD, DeliveryActor.COPY, "the original may have sent it since"),
    DeliveryEdge(State.HELD, State.WAITING, DeliveryActor.ACCEPT, "it goes out, perhaps once more"),
    DeliveryEdge(State.HELD, State.DROPPED, DeliveryActor.ACCEPT, "it is not to go out"),
    DeliveryEdge(State.HELD, State.DELIVERED, DeliveryActor.ACCEPT, "the original's log says so"),
    DeliveryEdge(State.FROZEN, State.DELIVERED, DeliveryActor.ACCEPT, "the original's log says so"),
    DeliveryEdge(State.HELD, State.UNKNOWN, DeliveryActor.ACCEPT, "of an issue: the reader may have it"),
    DeliveryEdge(State.FROZEN, State.UNKNOWN, DeliveryActor.ACCEPT, "of an issue: the reader may have it"),
)

KEEPING_CONTENT = (
    *(State.WAITING, State.CLAIMED, State.HELD, State.KEPT, State.FAILED, State.EXPIRED),
    *(State.FROZEN, State.COMMITTING, State.UNKNOWN),
)
# FAILED and EXPIRED also end a delivery to a reader, since no report is sent for it.
ENDED = (State.DELIVERED, State.DROPPED, State.SUPPRESSED, State.STOPPED)


def delivery_sources_of(target: State, by: DeliveryActor) -> tuple[State, ...]:
    """The states from which this actor may move a delivery to `target`."""
    return tuple(
        edge.source
        for edge in DELIVERY_EDGES
        if edge.target is target and edge.by is by and edge.source is not None
    )


def targets_of(by: DeliveryActor) -> frozenset[State]:
    """The states to which this actor may move deliveries."""
    return frozenset(edge.target for edge in DELIVERY_EDGES if edge.by is by)
