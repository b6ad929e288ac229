"""The protocol by which a process states what it counted: a line of JSON, by itself or when asked.

A statement has the increments since the one before, and the gauges as they are now. The roles that
strangers talk to may be compromised: such a role can state only metrics of its own, with labels from
their lists.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

import msgspec

from secondpost.mail.metrics import Metric, MetricType
from secondpost.mail.store_rooms import ROLES
from secondpost.mail.tally import SUM, Cell, CellCounts
from secondpost.protocols.alarm_statements import SUPERVISOR, supervisor_of
from secondpost.protocols.role_questions import INTEGER_MAX, Garbled, read_line

ASK = b"?\n"
SUPERVISORS = frozenset({SUPERVISOR, *map(supervisor_of, ROLES)})
CELLS_MAX = 2_000
GAUGES_MAX = 50
TALLY_OCTETS_MAX = 500_000
ROLE_CHARACTERS_MAX = 64
WORD_CHARACTERS_MAX = 64
LABELS_MAX = 4
CELL_NUMBER_MAX = 100

_Word = Annotated[str, msgspec.Meta(max_length=WORD_CHARACTERS_MAX)]
_Integer = Annotated[int, msgspec.Meta(ge=0, le=INTEGER_MAX)]


class _CellLine(msgspec.Struct, frozen=True, array_like=True):
    metric: _Word
    labels: Annotated[tuple[_Word, ...], msgspec.Meta(max_length=LABELS_MAX)]
    number: Annotated[int, msgspec.Meta(ge=SUM, le=CELL_NUMBER_MAX)]
    many: _Integer


class _TallyStatement(msgspec.Struct, frozen=True):
    role: Annotated[str, msgspec.Meta(max_length=ROLE_CHARACTERS_MAX)]
    cells: Annotated[tuple[_CellLine, ...], msgspec.Meta(max_length=CELLS_MAX)]
    gauges: Annotated[dict[_Word, _Integer], msgspec.Meta(max_length=GAUGES_MAX)]


_STATED = msgspec.json.Decoder(_TallyStatement)
_METRICS: Mapping[str, Metric] = {metric.value.name: metric for metric in Metric}


@dataclass(frozen=True, slots=True)
class StatedTally:
    role: str
    counts: CellCounts
    gauges: Mapping[Metric, int] = field(default_factory=dict)


def tally_line(said: StatedTally) -> bytes:
    cells = tuple(
        _CellLine(cell.metric.value.name, cell.labels, cell.number, min(many, INTEGER_MAX))
        for cell, many in said.counts.items()
    )
    gauges = {metric.value.name: min(max(value, 0), INTEGER_MAX) for metric, value in said.gauges.items()}
    return msgspec.json.encode(_TallyStatement(said.role, cells[:CELLS_MAX], gauges)) + b"\n"


def read_tally(line: bytes) -> StatedTally:
    """Decode a statement; what the role may not state is left out. Raises Garbled."""
    found = read_line(line, _STATED)
    if found.role not in SUPERVISORS and not frozenset(ROLES).issuperset(found.role.split("+")):
        raise Garbled(f"{found.role!r} is no role that counts")
    counts: dict[Cell, int] = {}
    for one in found.cells:
        cell = _cell(found.role, one)
        if cell is not None:
            counts[cell] = counts.get(cell, 0) + one.many
    gauges = {
        _METRICS[name]: value
        for name, value in found.gauges.items()
        if _may_state(found.role, name, is_gauge=True)
    }
    return StatedTally(found.role, counts, gauges)


def _cell(role: str, one: _CellLine) -> Cell | None:
    if not _may_state(role, one.metric, is_gauge=False):
        return None
    metric = _METRICS[one.metric]
    numbers = range(SUM, len(metric.value.bounds) + 1) if len(metric.value.bounds) > 0 else range(1)
    if len(one.labels) != len(metric.labels) or one.number not in numbers:
        return None
    return Cell(metric, metric.bounded(one.labels), one.number)


def _may_state(role: str, name: str, *, is_gauge: bool) -> bool:
    metric = _METRICS.get(name)
    if metric is None or (metric.value.type is MetricType.GAUGE) is not is_gauge:
        return False
    return metric.is_counted_by(role)
