"""Adds up what all processes counted, since the deliver role's process began.

Counters therefore begin at zero when the deliver role starts anew, as a monitoring system expects of
a program that was restarted; the other roles' processes come and go without a trace.
"""

from collections import Counter
from collections.abc import Mapping

from secondpost.mail.metrics import Metric
from secondpost.mail.tally import Cell
from secondpost.protocols.tally_statements import StatedTally

Series = tuple[str, Cell]  # a role, and what it counted


class Totals:
    def __init__(self) -> None:
        self._counts: Counter[Series] = Counter()
        self._gauges: dict[int, StatedTally] = {}  # the last statement, by connection

    def heard(self, connection: int, said: StatedTally) -> None:
        for cell, many in said.counts.items():
            self._counts[said.role, cell] += many
        self._gauges[connection] = StatedTally(said.role, {}, said.gauges)

    def left(self, connection: int) -> None:
        self._gauges.pop(connection, None)

    def counts(self) -> Mapping[Series, int]:
        return self._counts

    def measured(self, metric: Metric) -> dict[str, list[int]]:
        """A gauge's values by role, one of each process that states it."""
        found: dict[str, list[int]] = {}
        for said in self._gauges.values():
            if metric in said.gauges:
                found.setdefault(said.role, []).append(said.gauges[metric])
        return found
