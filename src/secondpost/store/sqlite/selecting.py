"""Turns a selection of deliveries into the conditions of a query. No value ever becomes text of it."""

from collections.abc import Sequence

from secondpost.mail.delivery import DeliveryId, State
from secondpost.store.owner_ports import Selection
from secondpost.store.sqlite.base import as_json
from secondpost.store.verbs.rows import address_key
from secondpost.store.verbs.steps import Value

# The states that the index delivery_aside holds; its own condition has to stand in the query.
ASIDE = (State.HELD, State.KEPT, State.FAILED, State.EXPIRED, State.UNKNOWN)
_ASIDE_CONDITION = "d.state IN ('held', 'kept', 'failed', 'expired', 'unknown')"

_STATES = "d.state IN (SELECT value FROM json_each(?))"
_HELD_BY_SITE = (
    "(d.state = ? AND domain.lane IN ('relay', 'unverified')"
    " AND EXISTS (SELECT 1 FROM site WHERE site.site = domain.site))"
)


def page_query(
    query: str, selection: Selection, states: Sequence[State], after: DeliveryId | None, limit: int
) -> tuple[str, tuple[Value, ...]]:
    """The query for a page of deliveries behind `after`; `states` narrows the selection further."""
    limits = [set(those) for those in (selection.states, states) if len(those) > 0]
    if len(selection.in_states) > 0:
        limits.append({one.state for one in selection.in_states})
    conditions, bindings = _conditions(selection)
    index = ""
    if len(limits) > 0:
        wanted = [state for state in State if all(state in limit for limit in limits)]
        conditions.append(_STATES)
        bindings.append(as_json([state.value for state in wanted]))
        if set(wanted) <= set(ASIDE) and len(selection.ids) + len(selection.deliveries) == 0:
            conditions.append(_ASIDE_CONDITION)
            index = "INDEXED BY delivery_aside"
    start: tuple[Value, ...] = (-1, 0) if after is None else (after.queue_id, after.number)
    text = query.replace("{index}", index).replace("{conditions}", "".join(f" AND {c}" for c in conditions))
    return text, (*start, *bindings, limit)


def _conditions(selection: Selection) -> tuple[list[str], list[Value]]:
    named = (_by_id(selection), _by_address(selection), _by_facts(selection), _by_state(selection))
    conditions = [condition for found in named for condition, _ in found]
    return conditions, [value for found in named for _, values in found for value in values]


Conditions = list[tuple[str, tuple[Value, ...]]]


def _by_id(selection: Selection) -> Conditions:
    found: Conditions = []
    if len(selection.ids) > 0:
        found.append(("d.message IN (SELECT value FROM json_each(?))", (as_json(selection.ids),)))
    if len(selection.deliveries) > 0:
        ids = as_json([(id.queue_id, id.number) for id in selection.deliveries])
        found.append(("(d.message, d.number) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))", (ids,)))
    return found


def _by_address(selection: Selection) -> Conditions:
    found: Conditions = []
    if selection.domain is not None:
        found.append(("d.domain IN (SELECT id FROM domain WHERE name = ?)", (selection.domain.name,)))
    if selection.address is not None:
        # No index: it would dirty a page of its own for every message that comes.
        columns = ("d.recipient", "d.first_recipient", "message.sender")
        address, fold = selection.address.casefold(), "lower"
        if not address.isascii() or "xn--" in address:
            address, fold = (
                address_key(address),
                "address_key",
            )  # SQLite folds ASCII alone, and knows no U-labels
        condition = " OR ".join(f"{fold}({column}) = ?" for column in columns)
        found.append((f"({condition})", (address,) * len(columns)))
    if selection.site is not None:
        found.append(("domain.site = ?", (selection.site,)))
    return found


def _by_facts(selection: Selection) -> Conditions:
    found: Conditions = []
    if len(selection.causes) > 0:
        found.append(("d.cause IN (SELECT value FROM json_each(?))", (as_json(selection.causes),)))
    if selection.arrived_before_ms is not None:
        found.append(("d.arrived_ms < ?", (selection.arrived_before_ms,)))
    if selection.larger_than is not None:
        found.append(("message.size > ?", (selection.larger_than,)))
    return found


def _by_state(selection: Selection) -> Conditions:
    found: Conditions = []
    for one in selection.in_states:
        if one.kept_for is not None:
            found.append(("(d.state = ? AND d.kept_for = ?)", (one.state.value, one.kept_for.value)))
        else:
            found.append((_HELD_BY_SITE if one.held_by_site else "d.state = ?", (one.state.value,)))
    if len(found) == 0:
        return []
    any_of = " OR ".join(condition for condition, _ in found)
    return [(f"({any_of})", tuple(value for _, values in found for value in values))]
