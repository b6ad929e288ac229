"""The states of a reader and what may lead from one to another (design §4). Pure.

docs/states.md is checked against this table. A reader gets mail in one state alone, ACTIVE, and then only
when the address is not suppressed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from secondpost.mail.subscriber import SubscriberState
from secondpost.store.subscriber_ports import Reason


class By(StrEnum):
    """Who leads a reader over an edge."""

    READER = "reader"  # by a POST, or by mail from the address
    OWNER = "owner"
    PROVIDER = "provider"  # the reader's mail provider: bounces and complaints
    CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class Edge:
    source: SubscriberState | None  # None: comes into being
    target: SubscriberState | None  # None: is no longer there
    by: By
    when: str


_S = SubscriberState
_TAKEN_AWAY = "`subscribers remove`, or imported: left, bounced or complained elsewhere"

EDGES: tuple[Edge, ...] = (
    Edge(None, _S.PENDING, By.READER, "signed up: the confirmation is on its way"),
    Edge(None, _S.PENDING, By.OWNER, "`subscribers add`, or imported"),
    Edge(None, _S.ACTIVE, By.OWNER, "added or imported with a consent"),
    Edge(None, _S.LEFT, By.OWNER, "imported: left elsewhere"),
    Edge(None, _S.SUSPENDED, By.OWNER, "imported from an export of Secondpost"),
    Edge(None, _S.COMPLAINED, By.OWNER, "imported from an export of Secondpost"),
    Edge(_S.PENDING, _S.ACTIVE, By.READER, "confirmed"),
    Edge(_S.PENDING, _S.ACTIVE, By.OWNER, "confirmed by the owner, or imported, with a consent"),
    Edge(_S.PENDING, _S.LEFT, By.READER, "does not want it"),
    Edge(_S.PENDING, None, By.CLOCK, "never confirmed, and was not a reader before"),
    Edge(_S.PENDING, _S.LEFT, By.CLOCK, "signed up again, and never confirmed"),
    Edge(_S.ACTIVE, _S.LEFT, By.READER, "one click, the page, or a mail"),
    Edge(_S.ACTIVE, _S.LEFT, By.OWNER, _TAKEN_AWAY),
    Edge(_S.ACTIVE, _S.SUSPENDED, By.PROVIDER, "the mail comes back"),
    Edge(_S.ACTIVE, _S.COMPLAINED, By.PROVIDER, "marked it as spam: suppressed as well"),
    Edge(_S.PENDING, _S.COMPLAINED, By.PROVIDER, "marked the confirmation as spam"),
    Edge(_S.PENDING, _S.LEFT, By.OWNER, _TAKEN_AWAY),
    Edge(_S.PENDING, _S.SUSPENDED, By.PROVIDER, "the confirmation comes back"),
    Edge(_S.LEFT, _S.PENDING, By.READER, "signed up again"),
    Edge(_S.LEFT, _S.COMPLAINED, By.PROVIDER, "marked an older issue as spam"),
    Edge(_S.SUSPENDED, _S.PENDING, By.READER, "signed up again"),
    Edge(_S.SUSPENDED, _S.ACTIVE, By.READER, "confirmed again"),
    Edge(_S.SUSPENDED, _S.ACTIVE, By.OWNER, "confirmed by the owner, with a consent"),
    Edge(_S.SUSPENDED, _S.LEFT, By.READER, "one click, the page, or a mail"),
    Edge(_S.SUSPENDED, _S.LEFT, By.OWNER, _TAKEN_AWAY),
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


def sources_of(target: SubscriberState, *by: By) -> tuple[SubscriberState, ...]:
    """From which states any of these may lead a reader to this one."""
    found = (edge.source for edge in EDGES if edge.target is target and edge.by in by)
    return tuple(dict.fromkeys(source for source in found if source is not None))
