"""The states of a reader and their transitions (design §4), and who may lift a suppression.

The store's verbs obey this table, and docs/states.md is checked against it. A reader gets mail only
in the state ACTIVE, and only if the address is not suppressed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from secondpost.mail.subscriber import SubscriberState


class SubscriberActor(StrEnum):
    """The actor of a transition."""

    READER = "reader"  # by a POST, or by mail from the address
    OWNER = "owner"
    LIST = "list"  # a list that the owner imports
    PROVIDER = "provider"  # the reader's mail provider: bounces and complaints
    CLOCK = "clock"


class Reason(StrEnum):
    """Why an address is suppressed."""

    OWNER = "owner"
    ERASED = "erased"
    COMPLAINED = "complained"
    BOUNCED = "bounced"  # its mail bounced, according to an imported list
    IMPORTED = "imported"  # on an imported list of addresses that must not be mailed


@dataclass(frozen=True, slots=True)
class SubscriberEdge:
    source: SubscriberState | None  # None: the reader is created
    target: SubscriberState | None  # None: the reader is deleted
    by: SubscriberActor
    when: str


_S = SubscriberState
_GONE_ELSEWHERE = "imported: left, bounced or complained elsewhere"

SUBSCRIBER_EDGES: tuple[SubscriberEdge, ...] = (
    SubscriberEdge(None, _S.PENDING, SubscriberActor.READER, "signed up: the confirmation is on its way"),
    SubscriberEdge(None, _S.PENDING, SubscriberActor.OWNER, "`subscribers add`"),
    SubscriberEdge(None, _S.PENDING, SubscriberActor.LIST, "imported"),
    SubscriberEdge(None, _S.ACTIVE, SubscriberActor.OWNER, "`subscribers add`, with a consent"),
    SubscriberEdge(None, _S.ACTIVE, SubscriberActor.LIST, "imported with a consent"),
    SubscriberEdge(None, _S.LEFT, SubscriberActor.LIST, "imported: left elsewhere"),
    SubscriberEdge(None, _S.SUSPENDED, SubscriberActor.LIST, "imported from an export of Secondpost"),
    SubscriberEdge(None, _S.COMPLAINED, SubscriberActor.LIST, "imported from an export of Secondpost"),
    SubscriberEdge(_S.PENDING, _S.ACTIVE, SubscriberActor.READER, "confirmed"),
    SubscriberEdge(_S.PENDING, _S.ACTIVE, SubscriberActor.OWNER, "confirmed by the owner, with a consent"),
    SubscriberEdge(
        _S.PENDING, _S.ACTIVE, SubscriberActor.LIST, "imported with a consent, and was not a reader before"
    ),
    SubscriberEdge(_S.PENDING, _S.LEFT, SubscriberActor.READER, "does not want it"),
    SubscriberEdge(_S.PENDING, None, SubscriberActor.CLOCK, "never confirmed, and was not a reader before"),
    SubscriberEdge(_S.PENDING, _S.LEFT, SubscriberActor.CLOCK, "signed up again, and never confirmed"),
    SubscriberEdge(_S.ACTIVE, _S.LEFT, SubscriberActor.READER, "one click, the page, or a mail"),
    SubscriberEdge(_S.ACTIVE, _S.LEFT, SubscriberActor.OWNER, "`subscribers remove`"),
    SubscriberEdge(_S.ACTIVE, _S.LEFT, SubscriberActor.LIST, _GONE_ELSEWHERE),
    SubscriberEdge(_S.ACTIVE, _S.SUSPENDED, SubscriberActor.PROVIDER, "the mail comes back"),
    SubscriberEdge(
        _S.ACTIVE, _S.COMPLAINED, SubscriberActor.PROVIDER, "marked it as spam: suppressed as well"
    ),
    SubscriberEdge(_S.PENDING, _S.COMPLAINED, SubscriberActor.PROVIDER, "marked the confirmation as spam"),
    SubscriberEdge(_S.PENDING, _S.LEFT, SubscriberActor.OWNER, "`subscribers remove`"),
    SubscriberEdge(_S.PENDING, _S.LEFT, SubscriberActor.LIST, _GONE_ELSEWHERE),
    SubscriberEdge(_S.PENDING, _S.SUSPENDED, SubscriberActor.PROVIDER, "the confirmation comes back"),
    SubscriberEdge(_S.LEFT, _S.PENDING, SubscriberActor.READER, "signed up again"),
    SubscriberEdge(_S.LEFT, _S.COMPLAINED, SubscriberActor.PROVIDER, "marked an older issue as spam"),
    SubscriberEdge(_S.SUSPENDED, _S.PENDING, SubscriberActor.READER, "signed up again"),
    SubscriberEdge(_S.SUSPENDED, _S.ACTIVE, SubscriberActor.READER, "confirmed again"),
    SubscriberEdge(_S.SUSPENDED, _S.ACTIVE, SubscriberActor.OWNER, "confirmed by the owner, with a consent"),
    SubscriberEdge(_S.SUSPENDED, _S.LEFT, SubscriberActor.READER, "one click, the page, or a mail"),
    SubscriberEdge(_S.SUSPENDED, _S.LEFT, SubscriberActor.OWNER, "`subscribers remove`"),
    SubscriberEdge(_S.SUSPENDED, _S.LEFT, SubscriberActor.LIST, _GONE_ELSEWHERE),
    SubscriberEdge(_S.SUSPENDED, _S.COMPLAINED, SubscriberActor.PROVIDER, "marked an older issue as spam"),
    SubscriberEdge(
        _S.COMPLAINED, _S.ACTIVE, SubscriberActor.OWNER, "wrote to the owner: confirmed, with a consent"
    ),
)

# Who may lift a suppression: a reader by confirming a new sign-up, the owner with `suppress
# --lift`.
LIFTED_BY: Mapping[Reason, tuple[SubscriberActor, ...]] = {
    Reason.OWNER: (SubscriberActor.OWNER,),
    Reason.ERASED: (SubscriberActor.READER, SubscriberActor.OWNER),
    Reason.COMPLAINED: (SubscriberActor.OWNER,),
    Reason.BOUNCED: (SubscriberActor.OWNER,),
    Reason.IMPORTED: (SubscriberActor.OWNER,),
}


def subscriber_sources_of(
    target: SubscriberState | None, *by: SubscriberActor
) -> tuple[SubscriberState, ...]:
    """The states from which any of these actors may move a reader to `target` (None: delete it)."""
    found = (edge.source for edge in SUBSCRIBER_EDGES if edge.target is target and edge.by in by)
    return tuple(dict.fromkeys(source for source in found if source is not None))
