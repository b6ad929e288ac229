"""What the scan must find in each log of `data`: NAME.log as Debian's server wrote it under the attacks of
tests/against/attackers.py, NAME.found with a line for each rule.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from secondpost.watch.logs.scan import LogScan
from secondpost.watch.logs.seen import LogOutcome
from secondpost.watch.logs.tally import LogTally
from secondpost.watch.logs.verdict import DANGER_WORDS, verdicts_of

DATA: Final = Path(__file__).parent / "data"
SERVERS: Final = {"exim": "Exim", "opensmtpd": "OpenSMTPD", "postfix": "Postfix", "sendmail": "Sendmail"}


@dataclass(frozen=True, order=True)
class Found:
    """What became of the attempts that a rule found."""

    rule: str
    refused: int
    taken: int
    not_said: int
    verdict: str


def expected(name: str) -> list[Found]:
    """The lines of NAME.found: rule, refused, taken, not said, verdict."""
    rows = [line.split(None, 4) for line in (DATA / f"{name}.found").read_text().splitlines()]
    return sorted(Found(row[0], int(row[1]), int(row[2]), int(row[3]), row[4]) for row in rows)


def found_in(tally: LogTally) -> list[Found]:
    return sorted(
        Found(
            each.tally.rule.id,
            each.tally.all.outcomes[LogOutcome.REFUSED],
            each.tally.all.outcomes[LogOutcome.TAKEN],
            each.tally.all.outcomes[LogOutcome.UNSAID],
            DANGER_WORDS[each.danger],
        )
        for each in verdicts_of(tally)
    )


def scanned(octets: bytes, written_ms: int, since_ms: int | None = None) -> LogScan:
    scan = LogScan(written_ms, since_ms)
    scan.feed(octets)
    scan.end()
    return scan
