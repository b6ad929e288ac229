"""What a process has counted and not stated yet: plain integers by metric and labels.

Counting costs an addition in a dictionary, since it is done for each message. Only what was not
stated yet is kept, so that nothing is counted twice, whichever process adds it up.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from secondpost.mail.metrics import MICROSECONDS, Metric

SUM = -1  # the cell of a histogram that has the sum, in microseconds
WHOLE = 0  # the only cell of a counter


@dataclass(frozen=True, slots=True)
class Cell:
    """An integer of a metric: the whole of a counter, or a bucket or the sum of a histogram."""

    metric: Metric
    labels: tuple[str, ...]
    number: int = WHOLE


CellCounts = Mapping[Cell, int]


class Tally:
    def __init__(self) -> None:
        self._counts: dict[tuple[str, tuple[str, ...], int], int] = {}
        self._gauges: dict[Metric, Callable[[], int]] = {}

    def count(self, metric: Metric, *labels: str, many: int = 1) -> None:
        # The name is the key: a member of an Enum is hashed in Python, which takes longer.
        key = (metric._name_, labels, WHOLE)
        self._counts[key] = self._counts.get(key, 0) + many

    def observe(self, metric: Metric, seconds: float, *labels: str) -> None:
        bucket = bisect_left(metric.value.bounds, seconds)
        for number, many in ((bucket, 1), (SUM, round(max(0.0, seconds) * MICROSECONDS))):
            key = (metric._name_, labels, number)
            self._counts[key] = self._counts.get(key, 0) + many

    def measure(self, metric: Metric, read: Callable[[], int]) -> None:
        """Have a gauge read by `read` whenever it is stated."""
        self._gauges[metric] = read

    def taken(self) -> CellCounts:
        """Everything counted since the last call."""
        counts, self._counts = self._counts, {}
        taken: Counter[Cell] = Counter()
        for (name, labels, number), many in counts.items():
            metric = Metric[name]
            taken[Cell(metric, metric.bounded(labels), number)] += many
        return taken

    def measured(self) -> dict[Metric, int]:
        return {metric: read() for metric, read in self._gauges.items()}
