"""The states of a reader and what may lead from one to another (design §4), and who lifts a suppression.

The verbs of the store obey this table, and docs/states.md is checked against it. A reader gets mail in one
state alone, ACTIVE, and then only when the address is not suppressed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from secondpost.mail.subscriber import SubscriberState


class By(StrEnum):
    """Who leads a reader over an edge."""

    READER = "reader"  # by a POST, or by mail from the address
    OWNER = "owner"
    LIST = "list"  # that the owner imports
    PROVIDER = "provider"  # the reader's mail provider: bounces and complaints
    CLOCK = "clock"


class Reason(StrEnum):
    """Why an address is suppressed."""

    OWNER = "owner"
    ERASED = "erased"
    COMPLAINED = "complained"
    BOUNCED = "bounced"  # its mail came back, by the word of a list
    IMPORTED = "imported"  # it stood in a list of those who are not to be written to


@dataclass(frozen=True, slots=True)
class Edge:
    source: SubscriberState | None  # None: comes into being
    target: SubscriberState | None  # None: is no longer there
    by: By
    when: str


_S = SubscriberState
_GONE_ELSEWHERE = "imported: left, bounced or complained elsewhere"

EDGES: tuple[Edge, ...] = (
    Edge(None, _S.PENDING, By.READER, "signed up: the confirmation is on its way"),
    Edge(None, _S.PENDING, By.OWNER, "`subscribers add`"),
    Edge(None, _S.PENDING, By.LIST, "imported"),
    Edge(None, _S.ACTIVE, By.OWNER, "`subscribers add`, with a consent"),
    Edge(None, _S.ACTIVE, By.LIST, "imported with a consent"),
    Edge(None, _S.LEFT, By.LIST, "imported: left elsewhere"),
    Edge(None, _S.SUSPENDED, By.LIST, "imported from an export of Secondpost"),
    Edge(None, _S.COMPLAINED, By.LIST, "imported from an export of Secondpost"),
    Edge(_S.PENDING, _S.ACTIVE, By.READER, "confirmed"),
    Edge(_S.PENDING, _S.ACTIVE, By.OWNER, "confirmed by the owner, with a consent"),
    Edge(_S.PENDING, _S.ACTIVE, By.LIST, "imported with a consent, and was not a reader before"),
    Edge(_S.PENDING, _S.LEFT, By.READER, "does not want it"),
    Edge(_S.PENDING, None, By.CLOCK, "never confirmed, and was not a reader before"),
    Edge(_S.PENDING, _S.LEFT, By.CLOCK, "signed up again, and never confirmed"),
    Edge(_S.ACTIVE, _S.LEFT, By.READER, "one click, the page, or a mail"),
    Edge(_S.ACTIVE, _S.LEFT, By.OWNER, "`subscribers remove`"),
    Edge(_S.ACTIVE, _S.LEFT, By.LIST, _GONE_ELSEWHERE),
    Edge(_S.ACTIVE, _S.SUSPENDED, By.PROVIDER, "the mail comes back"),
    Edge(_S.ACTIVE, _S.COMPLAINED, By.PROVIDER, "marked it as spam: suppressed as well"),
    Edge(_S.PENDING, _S.COMPLAINED, By.PROVIDER, "marked the confirmation as spam"),
    Edge(_S.PENDING, _S.LEFT, By.OWNER, "`subscribers remove`"),
    Edge(_S.PENDING, _S.LEFT, By.LIST, _GONE_ELSEWHERE),
    Edge(_S.PENDING, _S.SUSPENDED, By.PROVIDER, "the confirmation comes back"),
    Edge(_S.LEFT, _S.PENDING, By.READER, "signed up again"),
    Edge(_S.LEFT, _S.COMPLAINED, By.PROVIDER, "marked an older issue as spam"),
    Edge(_S.SUSPENDED, _S.PENDING, By.READER, "signed up again"),
    Edge(_S.SUSPENDED, _S.ACTIVE, By.READER, "confirmed again"),
    Edge(_S.SUSPENDED, _S.ACTIVE, By.OWNER, "confirmed by the owner, with a consent"),
    Edge(_S.SUSPENDED, _S.LEFT, By.READER, "one click, the page, or a mail"),
    Edge(_S.SUSPENDED, _S.LEFT, By.OWNER, "`subscribers remove`"),
    Edge(_S.SUSPENDED, _S.LEFT, By.LIST, _GONE_ELSEWHERE),
    Edge(_S.SUSPENDED, _S.COMPLAINED, By.PROVIDER, "marked an older issue as spam"),
)

# Who may lift a suppression: a reader by confirming a new sign-up, the owner with `suppress --lift`.
LIFTED_BY: Mapping[Reason, tuple[By, ...]] = {
    Reason.OWNER: (By.OWNER,),
    Reason.ERASED: (By.READER, By.OWNER),
    Reason.COMPLAINED: (By.OWNER,),
    Reason.BOUNCED: (By.OWNER,),
    Reason.IMPORTED: (By.OWNER,),
}


def sources_of(target: SubscriberState | None, *by: By) -> tuple[SubscriberState, ...]:
    """From which states any of these may lead a reader to this one, or (None) take the reader away."""
    found = (edge.source for edge in EDGES if edge.target is target and edge.by in by)
    return tuple(dict.fromkeys(source for source in found if source is not None))
