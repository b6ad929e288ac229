"""The tables of states as SQL that both databases understand.

`{sources delivery waiting owner}` in a query of sql/ stands for the states from which the owner may
lead a delivery to waiting; triggers in the schema refuse changes that are not in the tables.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from secondpost.mail.article_states import ARTICLE_EDGES, ArticleState
from secondpost.mail.delivery import State
from secondpost.mail.delivery_states import DELIVERY_EDGES
from secondpost.mail.subscriber import SubscriberState
from secondpost.mail.subscriber_states import SUBSCRIBER_EDGES


class Edge(Protocol):
    @property
    def source(self) -> StrEnum | None: ...
    @property
    def target(self) -> StrEnum | None: ...
    @property
    def by(self) -> StrEnum: ...


@dataclass(frozen=True, slots=True)
class StateTable:
    """The states of the rows of one table of the schema, and the edges between them."""

    states: type[StrEnum]
    edges: Sequence[Edge]


STATE_TABLES: Mapping[str, StateTable] = MappingProxyType(
    {
        "delivery": StateTable(State, DELIVERY_EDGES),
        "article": StateTable(ArticleState, ARTICLE_EDGES),
        "subscriber": StateTable(SubscriberState, SUBSCRIBER_EDGES),
    }
)


def sources_in_words(table: str, target: str, by: str) -> str:
    """The source states as an SQL list. Raises ValueError if no edge leads to the target."""
    found = (edge.source for edge in STATE_TABLES[table].edges if (edge.target, edge.by) == (target, by))
    sources = list(dict.fromkeys(source for source in found if source is not None))
    if len(sources) == 0:
        raise ValueError(f"no edge of {by} leads to {target}")
    return ", ".join(f"'{source}'" for source in sources)


def refused_change(table: str) -> str:
    """A condition on old.state and new.state: no edge of the table connects them."""
    targets = {source: _targets(table, source) for source in STATE_TABLES[table].states}
    cases = [
        f"WHEN '{source}' THEN NOT ({_one_of(found)})" for source, found in targets.items() if len(found) > 0
    ]
    return "\n".join(["CASE old.state", *(f"  {case}" for case in cases), "  ELSE true", "END"])


def refused_beginning(table: str) -> str:
    """A condition on new.state: no row begins in it."""
    return f"NOT ({_one_of(_targets(table, None))})"


def _targets(table: str, source: StrEnum | None) -> list[StrEnum]:
    """In the order of the states; without the end of a row that is deleted."""
    found = {edge.target for edge in STATE_TABLES[table].edges if edge.source is source}
    return [state for state in STATE_TABLES[table].states if state in found]


def _one_of(states: Sequence[StrEnum]) -> str:
    """Compared one by one: an IN list would be built as a table for each row that changes."""
    return " OR ".join(f"new.state = '{state}'" for state in states)
