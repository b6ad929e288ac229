"""The table of a delivery's states as SQL that both databases understand.

`{sources waiting owner}` in a query of sql/ stands for the states from which the owner may lead a
delivery to waiting; a trigger in the schema refuses changes that are not in the table.
"""

from secondpost.mail.delivery import State
from secondpost.mail.delivery_states import DELIVERY_EDGES, DeliveryActor, delivery_sources_of


def sources_in_words(target: str, by: str) -> str:
    """The source states as an SQL list. Raises ValueError if no edge leads to the target."""
    sources = delivery_sources_of(State(target), DeliveryActor(by))
    if len(sources) == 0:
        raise ValueError(f"no edge of {by} leads to {target}")
    return ", ".join(f"'{source}'" for source in sources)


def refused_change() -> str:
    """A condition on old.state and new.state: no edge of the table connects them."""
    cases = [f"WHEN '{source}' THEN NOT ({_one_of(targets)})" for source, targets in _targets().items()]
    return "\n".join(["CASE old.state", *(f"  {case}" for case in cases), "  ELSE true", "END"])


def refused_beginning() -> str:
    """A condition on new.state: no delivery begins in it."""
    return f"NOT ({_one_of(_in_order({edge.target for edge in DELIVERY_EDGES if edge.source is None}))})"


def _targets() -> dict[State, list[State]]:
    found: dict[State, list[State]] = {}
    for source in State:
        targets = {edge.target for edge in DELIVERY_EDGES if edge.source is source}
        if len(targets) > 0:
            found[source] = _in_order(targets)
    return found


def _in_order(states: set[State]) -> list[State]:
    return [state for state in State if state in states]


def _one_of(states: list[State]) -> str:
    """Compared one by one: an IN list would be built as a table for each row that changes."""
    return " OR ".join(f"new.state = '{state}'" for state in states)
