"""Reads old logs of mail servers, one after the other, for `secondpost watch attacks scan`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from secondpost.watch.logs.archive import LogOctets, LogTorn, pieces_of
from secondpost.watch.logs.scan import LogScan, LogSummary
from secondpost.watch.logs.tally import LogTally
from secondpost.world.real.clock import RealClock
from secondpost.world.real.log_files import STANDARD, OpenLog, opened_log
from secondpost.world.real.zstd import unpacked_by_zstd

PIECES_PER_PROGRESS = 32


@dataclass(frozen=True, slots=True)
class ReadLog:
    """`fault`: why it could not be read, or not to its end; "" if it was."""

    path: str
    summary: LogSummary
    fault: str = ""


@dataclass(slots=True)
class ReadLogs:
    logs: list[ReadLog] = field(default_factory=list)
    tally: LogTally = field(default_factory=LogTally)


@dataclass(frozen=True, slots=True)
class LogProgress:
    """`share`: of the octets of the log; None for a pipe."""

    path: str
    lines: int
    share: float | None


def now_ms() -> int:
    return RealClock().now_ms()


def read_logs(paths: Sequence[str], since_ms: int | None, tell: Callable[[LogProgress], None]) -> ReadLogs:
    """All of them; a file that is named twice is read once."""
    done = ReadLogs()
    known: set[tuple[int, int]] = set()
    for path in paths:
        name = "standard input" if path == STANDARD else path
        try:
            with opened_log(path, now_ms()) as log:
                if log.identity is not None and log.identity in known:
                    continue
                if log.identity is not None:
                    known.add(log.identity)
                done.logs.append(_read(name, log, since_ms, tell, done.tally))
        except OSError as error:
            done.logs.append(ReadLog(name, LogSummary(), f"cannot be read: {error.strerror}"))
    return done


def _read(
    path: str, log: OpenLog, since_ms: int | None, tell: Callable[[LogProgress], None], tally: LogTally
) -> ReadLog:
    scan, counting, fault = LogScan(log.written_ms, since_ms), _Counting(log.read), ""
    try:
        for number, piece in enumerate(pieces_of(counting.read, unpacked_by_zstd)):
            scan.feed(piece)
            if number % PIECES_PER_PROGRESS == 0:
                share = None if log.octets == 0 else min(1.0, counting.octets / log.octets)
                tell(LogProgress(path, scan.summary.lines, share))
    except LogTorn as torn:
        fault = str(torn)
    except OSError as error:
        fault = f"cannot be read further: {error.strerror}"
    scan.end()
    tally.merge(scan.tally)
    return ReadLog(path, scan.summary, fault)


class _Counting:
    """Counts what is read."""

    def __init__(self, read: LogOctets) -> None:
        self._read = read
        self.octets = 0

    def read(self, octets_max: int) -> bytes:
        piece = self._read(octets_max)
        self.octets += len(piece)
        return piece
