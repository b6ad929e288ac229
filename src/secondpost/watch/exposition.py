"""The page of metrics, in the text format of Prometheus or as OpenMetrics, whichever is asked for.

It has a registry of its own for each page: the library's global one counts this process, which is only
one of several.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.metrics_core import (
    Metric as Family,
)
from prometheus_client.registry import Collector

from secondpost.mail.metrics import MICROSECONDS, Metric, MetricType
from secondpost.mail.tally import SUM, WHOLE
from secondpost.watch.totals import Series

PREFIX = "secondpost_"


@dataclass(frozen=True, slots=True)
class Gauge:
    """A family of values as they are now; each sample has its labels' values."""

    name: str  # without PREFIX
    text: str
    labels: tuple[str, ...]
    samples: Sequence[tuple[tuple[str, ...], float]]


@dataclass(frozen=True, slots=True)
class MetricsPage:
    content_type: str
    body: bytes


def metrics_page(counts: Mapping[Series, int], gauges: Iterable[Gauge], accept: str) -> MetricsPage:
    """`accept`: the request's header of that name."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families([*_counted(counts), *map(_gauge, gauges)]))
    encode, content_type = choose_encoder(accept)
    return MetricsPage(content_type, encode(registry))


class _Families(Collector):
    def __init__(self, families: Sequence[Family]) -> None:
        self._families = families

    def collect(self) -> Iterable[Family]:
        return self._families


def _gauge(gauge: Gauge) -> Family:
    family = GaugeMetricFamily(PREFIX + gauge.name, gauge.text, labels=gauge.labels)
    for values, number in gauge.samples:
        family.add_metric(values, number)
    return family


def _counted(counts: Mapping[Series, int]) -> Iterator[Family]:
    """A family for every metric, also for those of which nothing was counted yet."""
    for metric in Metric:
        numbers: Counter[tuple[tuple[str, ...], int]] = Counter()
        for (role, cell), many in counts.items():
            if cell.metric is metric:
                numbers[_labels_of(metric, role, cell.labels), cell.number] += many
        match metric.value.type:
            case MetricType.COUNTER:
                yield _counter(metric, numbers)
            case MetricType.HISTOGRAM:
                yield _histogram(metric, numbers)


def _label_names(metric: Metric) -> tuple[str, ...]:
    """Where several roles count the same, the role is a label too."""
    return metric.labels if len(metric.value.roles) == 1 else ("role", *metric.labels)


def _labels_of(metric: Metric, role: str, labels: tuple[str, ...]) -> tuple[str, ...]:
    return labels if len(metric.value.roles) == 1 else (role, *labels)


def _counter(metric: Metric, numbers: Mapping[tuple[tuple[str, ...], int], int]) -> Family:
    family = CounterMetricFamily(PREFIX + metric.value.name, metric.value.text, labels=_label_names(metric))
    for (labels, _), many in sorted(numbers.items()):
        family.add_metric(labels, many)
    if len(numbers) == 0 and len(metric.labels) == 0:
        family.add_metric((), WHOLE)
    return family


def _histogram(metric: Metric, numbers: Mapping[tuple[tuple[str, ...], int], int]) -> Family:
    family = HistogramMetricFamily(PREFIX + metric.value.name, metric.value.text, labels=_label_names(metric))
    ends = [*(f"{bound:g}" for bound in metric.value.bounds), "+Inf"]
    for labels in sorted({labels for labels, _ in numbers}):
        total, buckets = 0, []
        for number, end in enumerate(ends):
            total += numbers.get((labels, number), 0)
            buckets.append((end, total))
        family.add_metric(labels, buckets, sum_value=numbers.get((labels, SUM), 0) / MICROSECONDS)
    return family
