"""What the processes and the machine say of themselves, as gauges."""

import platform
from collections.abc import Callable, Iterator, Sequence

from secondpost import __version__
from secondpost.config.records import Config
from secondpost.mail.metrics import Metric, MetricType
from secondpost.spool.free_room import WRITE_AHEAD_LOGS
from secondpost.watch.exposition import Gauge
from secondpost.watch.totals import Totals
from secondpost.world.ports import Disk


def process_gauges(totals: Totals, answered: frozenset[str], roles: frozenset[str]) -> Iterator[Gauge]:
    """`answered`: names of the processes that stated their counts; `roles`: those that should run."""
    up = {role for name in answered for role in name.split("+")}
    yield Gauge(
        "role_up",
        "Whether a process of the role runs and answers.",
        ("role",),
        [((role,), float(role in up)) for role in sorted(roles)],
    )
    for metric in Metric:
        if metric.value.type is MetricType.GAUGE:
            values = [value for one in totals.measured(metric).values() for value in one]
            samples = [((), float(_together(metric)(values)))] if len(values) > 0 else []
            yield Gauge(metric.value.name, metric.value.text, (), samples)


def _together(metric: Metric) -> Callable[[Sequence[int]], int]:
    """Processes share the disk and the certificate; connections add up."""
    return min if metric in (Metric.ROOM, Metric.CERTIFICATE_ENDS) else sum


def machine_gauges(disk: Disk, config: Config) -> Iterator[Gauge]:
    yield Gauge(
        "build_info",
        "The version of the program, and of Python.",
        ("version", "python"),
        [((__version__, platform.python_version()), 1.0)],
    )
    yield Gauge(
        "disk_free_bytes", "Space free on the disk of the store.", (), [((), float(disk.free_octets()))]
    )
    yield Gauge("disk_reserve_bytes", "Space that mail does not take.", (), [((), float(config.reserve))])
    yield Gauge(
        "store_log_bytes",
        "Size of the write-ahead logs of the databases.",
        ("database",),
        [((_database(log),), float(disk.size(log))) for log in WRITE_AHEAD_LOGS],
    )


def _database(log: str) -> str:
    return log.rpartition("/")[2].removesuffix(".db-wal")
