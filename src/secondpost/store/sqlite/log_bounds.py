"""How long the write-ahead log may become before it is copied, restarted or truncated."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LogBounds:
    """Octets of the log, units of work (store/verbs/engine), seconds."""

    passive_octets: int = 4 * 1024 * 1024  # not yet in the database: copied beyond it
    pause_octets: int = 32 * 1024 * 1024  # beyond which a busy writer pauses for copying
    pause_units: int = 2000  # written between two checks of the log's size: some MB
    restart_octets: int = 48 * 1024 * 1024  # beyond which it is restarted
    room_octets_max: int = 64 * 1024 * 1024  # of the file: truncated beyond it, when all is quiet
    quiet_seconds: float = 10.0  # almost without writes, before it is truncated
