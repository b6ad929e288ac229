"""How long the write-ahead log may become before it is copied, begun anew or given back."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LogBounds:
    """Octets of the log, units of work between two looks at it (store/verbs/engine), seconds."""

    passive_octets: int = 4 * 1024 * 1024  # not yet in the database: copied beyond it
    pause_octets: int = 32 * 1024 * 1024  # copied beyond it by a writer that writes without a pause
    pause_units: int = 2000  # written between two looks of that writer: some MB of log
    restart_octets: int = 48 * 1024 * 1024  # begun anew beyond it
    room_octets_max: int = 64 * 1024 * 1024  # of its file: given back beyond it, when all is quiet
    quiet_seconds: float = 10.0  # for how long hardly anything was written, before room is given back
