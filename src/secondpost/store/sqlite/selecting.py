"""Turns a selection of deliveries into the conditions of a query. No value ever becomes text of it."""

from collections.abc import Sequence

from secondpost.mail.delivery import DeliveryId, State
from secondpost.store.ports import Selection
from secondpost.store.sqlite.base import as_json
from secondpost.store.sqlite.queries import Value

# The states that the index delivery_aside holds; its own condition has to stand in the query.
ASIDE = (State.HELD, State.KEPT, State.FAILED, State.EXPIRED, State.UNKNOWN)
_ASIDE_CONDITION = "d.state IN ('held', 'kept', 'failed', 'expired', 'unknown')"

_STATES = "d.state IN (SELECT value FROM json_each(?))"


def page_query(
    query: str, selection: Selection, states: Sequence[State], after: DeliveryId | None, limit: int
) -> tuple[str, tuple[Value, ...]]:
    """The query for a page of deliveries behind `after`; `states` narrows the selection further."""
    wanted = [state for state in selection.states or states if len(states) == 0 or state in states]
    conditions, bindings = _conditions(selection)
    index = ""
    if len(selection.states) + len(states) > 0:
        conditions.append(_STATES)
        bindings.append(as_json([state.value for state in wanted]))
        if set(wanted) <= set(ASIDE) and len(selection.ids) + len(selection.deliveries) == 0:
            conditions.append(_ASIDE_CONDITION)
            index = "INDEXED BY delivery_aside"
    start: tuple[Value, ...] = (-1, 0) if after is None else (after.queue_id, after.number)
    text = query.replace("{index}", index).replace("{conditions}", "".join(f" AND {c}" for c in conditions))
    return text, (*start, *bindings, limit)


def _conditions(selection: Selection) -> tuple[list[str], list[Value]]:
    conditions: list[str] = []
    bindings: list[Value] = []
    if len(selection.ids) > 0:
        conditions.append("d.message IN (SELECT value FROM json_each(?))")
        bindings.append(as_json(selection.ids))
    if len(selection.deliveries) > 0:
        conditions.append("(d.message, d.number) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))")
        bindings.append(as_json([(id.queue_id, id.number) for id in selection.deliveries]))
    if selection.domain is not None:
        conditions.append("d.domain IN (SELECT id FROM domain WHERE name = ?)")
        bindings.append(selection.domain.name)
    if selection.address is not None:
        # No index: it would dirty a page of its own for every message that comes.
        named = ("d.recipient", "d.first_recipient", "message.sender")
        conditions.append(f"({' OR '.join(f'lower({column}) = ?' for column in named)})")
        bindings += [selection.address.lower()] * len(named)
    if selection.site is not None:
        conditions.append("domain.site = ?")
        bindings.append(selection.site)
    return conditions, bindings
