"""OONI: what volunteers' tests of web sites found at an address, as context. Pure.

Its API is described at api.ooni.org/apidocs. No test of OONI speaks SMTP, so its counts decide nothing.
"""

from datetime import UTC, datetime, timedelta

import msgspec

from secondpost.mail.printable import printable
from secondpost.mail.reach import ReachTarget
from secondpost.protocols.role_questions import Number
from secondpost.protocols.service_questions import ServiceRequest, ServiceResult, WebService
from secondpost.watch.reach.answers import REASON_CHARACTERS_MAX, SourceFailed, usable

DAYS = 7
ANSWER_OCTETS_MAX = 200_000


class _Counts(msgspec.Struct):
    anomaly_count: Number
    confirmed_count: Number
    failure_count: Number
    ok_count: Number
    measurement_count: Number


class _Aggregation(msgspec.Struct):
    v: int
    result: _Counts | None = None
    error: str = ""


_AGGREGATION = msgspec.json.Decoder(_Aggregation)


def counts_request(target: ReachTarget, country: str, now_ms: int) -> ServiceRequest:
    """The counts of the last days for the address and its host."""
    today = datetime.fromtimestamp(now_ms // 1000, UTC).date()
    since, until = today - timedelta(days=DAYS), today + timedelta(days=1)
    # Hosts and addresses need no quoting: they have letters, digits, dots, hyphens and colons alone.
    path = (
        f"/api/v1/aggregation?domain={target.address},{target.host}&probe_cc={country}"
        f"&since={since}&until={until}&format=JSON"
    )
    return ServiceRequest(WebService.OONI, path, octets_max=ANSWER_OCTETS_MAX)


def read_counts(result: ServiceResult) -> str | SourceFailed:
    """What the counts say, in words; "" if there were no measurements."""
    found = usable(result, _AGGREGATION)
    if isinstance(found, SourceFailed):
        return found
    counts = found.result
    if len(found.error) > 0 or counts is None:
        return SourceFailed(f"does not accept the question: {printable(found.error)[:REASON_CHARACTERS_MAX]}")
    if counts.measurement_count == 0:
        return ""
    return (
        f"{counts.measurement_count} web tests in {DAYS} days: {counts.ok_count} fine, "
        f"{counts.anomaly_count} anomalies, {counts.confirmed_count} confirmed blocks, "
        f"{counts.failure_count} failed"
    )
