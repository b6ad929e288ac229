"""The JSON document of `secondpost watch attacks scan`."""

from collections.abc import Sequence
from dataclasses import dataclass

from secondpost.mail.printable import printable
from secondpost.owner.figures import utc_time
from secondpost.owner.hole_documents import KnownHoleDocument, hole_document
from secondpost.watch.logs.scan import LogSummary
from secondpost.watch.logs.seen import LogOutcome
from secondpost.watch.logs.tally import Attempts
from secondpost.watch.logs.verdict import DANGER_WORDS, Danger, LogVerdict


@dataclass(frozen=True, slots=True)
class LogNetworkDocument:
    """The attempts of one network."""

    network: str
    attempts: int
    refused: int
    taken: int
    not_said: int
    first: str | None
    last: str | None


@dataclass(frozen=True, slots=True)
class LogAttackDocument:
    """The attempts of one kind in the logs of one mail server."""

    rule: str
    cves: list[str]
    grade: str
    tries: str
    server: str
    verdict: str
    attempts: int
    refused: int
    taken: int
    not_said: int
    addresses: int
    more_addresses: bool
    first: str | None
    last: str | None
    sample: str
    networks: list[LogNetworkDocument]
    holes: list[KnownHoleDocument]


@dataclass(frozen=True, slots=True)
class ScannedLogDocument:
    path: str
    lines: int
    cut: int
    servers: list[str]
    first: str | None
    last: str | None
    years_guessed: bool
    fault: str


@dataclass(frozen=True, slots=True)
class LogScanDocument:
    """The document of `watch attacks scan`."""

    safe: bool | None
    complete: bool
    logs: list[ScannedLogDocument]
    attacks: list[LogAttackDocument]


def log_scan_document(logs: Sequence[ScannedLogDocument], verdicts: Sequence[LogVerdict]) -> LogScanDocument:
    was_read = any(len(log.servers) > 0 for log in logs)
    return LogScanDocument(
        safe=all(verdict.danger is not Danger.OPEN for verdict in verdicts) if was_read else None,
        complete=all(len(log.fault) == 0 for log in logs),
        logs=list(logs),
        attacks=[_attack(verdict) for verdict in verdicts],
    )


def scanned_log(path: str, summary: LogSummary, fault: str) -> ScannedLogDocument:
    return ScannedLogDocument(
        path=path,
        lines=summary.lines,
        cut=summary.cut,
        servers=sorted(summary.software),
        first=_time(summary.first_ms),
        last=_time(summary.last_ms),
        years_guessed=summary.years_guessed,
        fault=fault,
    )


def sample_text(sample: bytes) -> str:
    """Octets from outside, safe to print."""
    return printable(sample.decode("utf-8", "backslashreplace"))


def _attack(verdict: LogVerdict) -> LogAttackDocument:
    tally = verdict.tally
    every = _network("", tally.all)
    return LogAttackDocument(
        rule=tally.rule.id,
        cves=list(tally.rule.cves),
        grade=tally.rule.grade,
        tries=tally.rule.tries,
        server=tally.software,
        verdict=DANGER_WORDS[verdict.danger],
        attempts=every.attempts,
        refused=every.refused,
        taken=every.taken,
        not_said=every.not_said,
        addresses=len(tally.addresses),
        more_addresses=tally.more_addresses,
        first=every.first,
        last=every.last,
        sample=sample_text(tally.sample),
        networks=[_network(name, attempts) for name, attempts in tally.networks_by_attempts()],
        holes=[hole_document(hole) for hole in verdict.holes],
    )


def _network(network: str, attempts: Attempts) -> LogNetworkDocument:
    return LogNetworkDocument(
        network=network,
        attempts=attempts.count,
        refused=attempts.outcomes[LogOutcome.REFUSED],
        taken=attempts.outcomes[LogOutcome.TAKEN],
        not_said=attempts.outcomes[LogOutcome.UNSAID],
        first=_time(attempts.first_ms),
        last=_time(attempts.last_ms),
    )


def _time(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else utc_time(milliseconds)
