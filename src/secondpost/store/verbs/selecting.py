"""Turn a selection of deliveries into the conditions of a query; values are always bound, never
inserted into the text.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from secondpost.mail.delivery import DeliveryId, State
from secondpost.mail.queue_id import QueueId
from secondpost.store.owner_ports import Selection
from secondpost.store.verbs.rows import address_key
from secondpost.store.verbs.steps import Row, Steps, Value, number, rows

# The states in the index delivery_aside; the query repeats the index's condition.
ASIDE = (State.HELD, State.KEPT, State.FAILED, State.EXPIRED, State.UNKNOWN)

# In the set `picked`, number 0 means a whole message.
_MESSAGES = "d.message IN (SELECT message FROM picked WHERE number = 0)"
_DELIVERIES = "(d.message, d.number) IN (SELECT message, number FROM picked WHERE number > 0)"
_DOMAIN = "d.domain IN (SELECT id FROM domain WHERE name = {})"
_ADDRESS = "(lower(d.recipient) = {0} OR lower(d.first_recipient) = {0} OR lower(message.sender) = {0})"
_HELD_BY_SITE = (
    "(d.state = {} AND domain.lane IN ('relay', 'unverified')"
    " AND EXISTS (SELECT 1 FROM site WHERE site.site = domain.site))"
)
_LOOKED_THROUGH = 1000  # rows read at a time, for an address that SQL cannot compare
_PLACES_OF_THE_PAGE = 3  # ?1 and ?2: the id before the page; ?3: its length
_SENDER, _RECIPIENT, _FIRST_RECIPIENT = 5, 6, 7  # columns of a listed row


@dataclass(slots=True)
class _Conditions:
    """Conditions, and their values with numbered places."""

    texts: list[str] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)

    def place(self, value: Value) -> str:
        self.values.append(value)
        return f"?{_PLACES_OF_THE_PAGE + len(self.values)}"

    def add(self, text: str) -> None:
        self.texts.append(text)

    def add_one_of(self, column: str, values: Sequence[Value]) -> None:
        self.add(f"{column} IN ({', '.join(self.place(value) for value in values)})")


def page(
    selection: Selection, states: Sequence[State], after: DeliveryId | None, limit: int
) -> Steps[Sequence[Row]]:
    """A page of rows of `desk.listed` after `after`; `states` limits the selection further."""
    key = _key_to_compare(selection)
    if key is None:
        return (yield from _page(selection, states, after, limit))
    found: list[Row] = []
    while True:
        some = yield from _page(selection, states, after, _LOOKED_THROUGH)
        found += [row for row in some if _is_about(row, key)]
        if len(some) < _LOOKED_THROUGH or len(found) >= limit:
            return found[:limit]
        after = delivery_id(some[-1])


def _page(
    selection: Selection, states: Sequence[State], after: DeliveryId | None, limit: int
) -> Steps[Sequence[Row]]:
    conditions = _conditions(selection)
    wanted = _wanted(selection, states)
    if wanted == []:
        return []
    query = "desk.listed"
    if wanted is not None:
        conditions.add_one_of("d.state", [state.value for state in wanted])
        if set(wanted) <= set(ASIDE) and len(selection.ids) + len(selection.deliveries) == 0:
            query = "desk.listed_aside"
    start: Row = (-1, 0) if after is None else (after.queue_id, after.number)
    picked: list[Row] = [(id, 0) for id in selection.ids]
    picked += [(id.queue_id, id.number) for id in selection.deliveries]
    text = "".join(f" AND {condition}" for condition in conditions.texts)
    return (yield from rows(query, *start, limit, *conditions.values, chosen=picked, conditions=text))


def delivery_id(row: Row) -> DeliveryId:
    """The id in a row that begins with message and number."""
    return DeliveryId(QueueId(number(row[0])), number(row[1]))


def _wanted(selection: Selection, states: Sequence[State]) -> list[State] | None:
    """The states that satisfy all limits; None for any state."""
    limits = [set(those) for those in (selection.states, states) if len(those) > 0]
    if len(selection.in_states) > 0:
        limits.append({one.state for one in selection.in_states})
    if len(limits) == 0:
        return None
    return [state for state in State if all(state in limit for limit in limits)]


def _key_to_compare(selection: Selection) -> str | None:
    """The key of an address that SQL cannot compare, since it folds only ASCII and knows no
    U-labels; else None.
    """
    if selection.address is None:
        return None
    address = selection.address.casefold()
    return None if address.isascii() and "xn--" not in address else address_key(address)


def _is_about(row: Row, key: str) -> bool:
    addresses = (row[_SENDER], row[_RECIPIENT], row[_FIRST_RECIPIENT])
    return any(address is not None and address_key(str(address)) == key for address in addresses)


def _conditions(selection: Selection) -> _Conditions:
    conditions = _Conditions()
    _by_id_and_address(selection, conditions)
    _by_facts(selection, conditions)
    _by_state(selection, conditions)
    return conditions


def _by_id_and_address(selection: Selection, conditions: _Conditions) -> None:
    if len(selection.ids) > 0:
        conditions.add(_MESSAGES)
    if len(selection.deliveries) > 0:
        conditions.add(_DELIVERIES)
    if selection.domain is not None:
        conditions.add(_DOMAIN.format(conditions.place(selection.domain.name)))
    if selection.address is not None and _key_to_compare(selection) is None:
        # Not indexed: the index would cost a page write for every accepted message.
        conditions.add(_ADDRESS.format(conditions.place(selection.address.casefold())))
    if selection.site is not None:
        conditions.add(f"domain.site = {conditions.place(selection.site)}")


def _by_facts(selection: Selection, conditions: _Conditions) -> None:
    if len(selection.causes) > 0:
        conditions.add_one_of("d.cause", selection.causes)
    if selection.arrived_before_ms is not None:
        conditions.add(f"d.arrived_ms < {conditions.place(selection.arrived_before_ms)}")
    if selection.larger_than is not None:
        conditions.add(f"message.size > {conditions.place(selection.larger_than)}")


def _by_state(selection: Selection, conditions: _Conditions) -> None:
    found = []
    for one in selection.in_states:
        state = conditions.place(one.state.value)
        if one.kept_for is not None:
            found.append(f"(d.state = {state} AND d.kept_for = {conditions.place(one.kept_for.value)})")
        else:
            found.append(_HELD_BY_SITE.format(state) if one.held_by_site else f"d.state = {state}")
    if len(found) > 0:
        conditions.add(f"({' OR '.join(found)})")
