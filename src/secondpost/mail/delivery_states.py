"""The states of a delivery and what may lead from one to another (design §4).

docs/states.md is checked against this table.
"""

from dataclasses import dataclass
from enum import StrEnum

from secondpost.mail.delivery import State


class By(StrEnum):
    """Who leads a delivery over an edge."""

    RECEIVE = "receive"
    DELIVER = "deliver"
    PUBLISH = "publish"  # the newsletter: its role, and the owner's `issue` commands
    SWEEP = "sweep"  # a worker died
    CLOCK = "clock"  # its time is over
    OWNER = "owner"


@dataclass(frozen=True, slots=True)
class Edge:
    source: State | None  # None: it comes into being
    target: State
    by: By
    when: str


EDGES: tuple[Edge, ...] = (
    Edge(None, State.WAITING, By.RECEIVE, "accepted: synced before the 250"),
    Edge(None, State.KEPT, By.RECEIVE, "accepted into quarantine, by an earlier version"),
    Edge(State.WAITING, State.CLAIMED, By.DELIVER, "due, its site not down, under a lease"),
    Edge(State.CLAIMED, State.DELIVERED, By.DELIVER, "the next server answered 250"),
    Edge(State.CLAIMED, State.WAITING, By.DELIVER, "deferred, with its cause, its level and its next time"),
    Edge(State.CLAIMED, State.KEPT, By.DELIVER, "a backup domain's mail was refused, or its time is over"),
    Edge(State.CLAIMED, State.FAILED, By.DELIVER, "refused for good (own and submitted mail)"),
    Edge(
        State.CLAIMED, State.EXPIRED, By.DELIVER, "deferred, and its time is over (own mail, mail to readers)"
    ),
    Edge(State.CLAIMED, State.WAITING, By.SWEEP, "its worker died: waiting again, with maybe_duplicate"),
    Edge(State.WAITING, State.KEPT, By.CLOCK, "a backup domain's mail waited longer than `keep`"),
    Edge(
        State.WAITING, State.EXPIRED, By.CLOCK, "own mail waited too long; an issue's since its first attempt"
    ),
    Edge(
        State.KEPT,
        State.DROPPED,
        By.CLOCK,
        "refused by the primary, and kept for `keep_refused` or pushed out by newer",
    ),
    Edge(State.WAITING, State.HELD, By.OWNER, "queue hold"),
    Edge(State.HELD, State.WAITING, By.OWNER, "queue release"),
    Edge(State.KEPT, State.WAITING, By.OWNER, "queue retry"),
    Edge(State.WAITING, State.WAITING, By.OWNER, "queue retry, or redirected: due now"),
    Edge(State.HELD, State.DROPPED, By.OWNER, "queue drop"),
    Edge(State.KEPT, State.DROPPED, By.OWNER, "queue drop"),
    Edge(State.WAITING, State.DROPPED, By.OWNER, "queue drop"),
    # Mail to readers.
    Edge(None, State.WAITING, By.PUBLISH, "a confirmation, with the sign-up that asks for it"),
    Edge(None, State.FROZEN, By.PUBLISH, "an issue is frozen: one for every reader"),
    Edge(State.FROZEN, State.WAITING, By.PUBLISH, "the issue is sending"),
    Edge(State.FROZEN, State.STOPPED, By.PUBLISH, "issue stop"),
    Edge(State.WAITING, State.STOPPED, By.PUBLISH, "issue stop"),
    Edge(State.HELD, State.STOPPED, By.PUBLISH, "issue stop"),
    Edge(
        State.WAITING, State.SUPPRESSED, By.DELIVER, "about to be claimed: its reader left or was suppressed"
    ),
    Edge(State.WAITING, State.STOPPED, By.DELIVER, "about to be claimed: its issue was stopped"),
    Edge(State.CLAIMED, State.COMMITTING, By.DELIVER, "of an issue: durable before the final dot"),
    Edge(State.CLAIMED, State.SUPPRESSED, By.DELIVER, "before the dot: its reader left or was suppressed"),
    Edge(State.CLAIMED, State.STOPPED, By.DELIVER, "before the dot: its issue was stopped"),
    Edge(State.COMMITTING, State.DELIVERED, By.DELIVER, "the next server answered 250"),
    Edge(State.COMMITTING, State.WAITING, By.DELIVER, "the next server answered 4xx: it does not have it"),
    Edge(State.COMMITTING, State.FAILED, By.DELIVER, "the next server answered 5xx: it does not have it"),
    Edge(State.COMMITTING, State.EXPIRED, By.DELIVER, "the next server answered 4xx, and its time is over"),
    Edge(State.COMMITTING, State.UNKNOWN, By.DELIVER, "no answer to the dot that can be understood"),
    Edge(State.COMMITTING, State.UNKNOWN, By.SWEEP, "its worker died: nobody knows"),
    Edge(State.UNKNOWN, State.WAITING, By.PUBLISH, "the owner allowed one retry"),
)

KEEPING_CONTENT = (
    *(State.WAITING, State.CLAIMED, State.HELD, State.KEPT, State.FAILED, State.EXPIRED),
    *(State.FROZEN, State.COMMITTING, State.UNKNOWN),
)
# So do FAILED and EXPIRED when it was for a reader: nobody is to be told.
ENDED = (State.DELIVERED, State.REPORTED, State.DROPPED, State.SUPPRESSED, State.STOPPED)


def sources_of(target: State, by: By) -> tuple[State, ...]:
    """From which states someone may lead a delivery to this one."""
    return tuple(
        edge.source for edge in EDGES if edge.target is target and edge.by is by and edge.source is not None
    )


def targets_of(by: By) -> frozenset[State]:
    """To which states someone may lead deliveries."""
    return frozenset(edge.target for edge in EDGES if edge.by is by)
