"""How long a caller may take: as RFC 5321 §4.5.3.2 has it, and less when places run short.

A caller in a hurry has ten seconds for a command. A body may still be slow, so long as it goes on at the
pace of the slowest honest line.
"""

from dataclasses import dataclass
from math import inf

BODY_SECONDS_MAX = 3600.0  # from 354 to the final dot
TLS_SECONDS_MAX = 60.0
HURRIED_COMMAND_SECONDS = 10.0
HURRIED_TLS_SECONDS = 10.0
HURRIED_PAUSE_SECONDS = 30.0  # between two pieces of a body: a lost packet may be sent again five times
HURRIED_BODY_SECONDS = 60.0  # for the first piece of a body, whatever its pace
HURRIED_OCTETS_PER_SECOND = 500  # of a body from then on
HURRIED_ENVELOPE_SECONDS = 120.0  # from one message to the next


@dataclass(frozen=True, slots=True)
class Patience:
    """In seconds."""

    command: float  # from one command to the next
    envelope: float  # from the begin of the connection, or the message before, to DATA
    handshake: float
    pause: float  # between two pieces of a body
    body: float  # from DATA to the dot, at any pace
    octets_per_second: int  # of a body: what came gives it so much more time; 0: none

    def body_seconds(self, octets: int) -> float:
        """For a body of which so much has come."""
        if self.octets_per_second == 0:
            return self.body
        return min(self.body + octets / self.octets_per_second, BODY_SECONDS_MAX)


def usual_patience(timeout_seconds: float) -> Patience:
    return Patience(timeout_seconds, inf, TLS_SECONDS_MAX, timeout_seconds, BODY_SECONDS_MAX, 0)


def hurried_patience(timeout_seconds: float) -> Patience:
    """Never longer than the usual one."""
    return Patience(
        min(timeout_seconds, HURRIED_COMMAND_SECONDS),
        HURRIED_ENVELOPE_SECONDS,
        HURRIED_TLS_SECONDS,
        min(timeout_seconds, HURRIED_PAUSE_SECONDS),
        HURRIED_BODY_SECONDS,
        HURRIED_OCTETS_PER_SECOND,
    )
