"""How long a client may take: as in RFC 5321 §4.5.3.2, and less when places run short.

A client in a hurry has ten seconds for a command. Its body may be slow, as long as it keeps the
pace of the slowest honest line.
"""

from dataclasses import dataclass
from math import inf

BODY_SECONDS_MAX = 3600.0  # from 354 to the final dot
TLS_SECONDS_MAX = 60.0
HURRIED_COMMAND_SECONDS = 10.0
HURRIED_TLS_SECONDS = 10.0
HURRIED_PAUSE_SECONDS = 30.0  # between two pieces of a body: time for five retransmissions
HURRIED_BODY_SECONDS = 60.0  # for the first piece of a body, at any pace
HURRIED_OCTETS_PER_SECOND = 500  # of a body after that
HURRIED_ENVELOPE_SECONDS = 120.0  # from one message to the next


@dataclass(frozen=True, slots=True)
class Patience:
    """Limits in seconds."""

    command: float  # from one command to the next
    envelope: float  # from the connection's begin, or the last message, to DATA
    handshake: float
    pause: float  # between two pieces of a body
    body: float  # from DATA to the dot, at any pace
    # Of a body: octets received extend the time at this rate; 0: they do not.
    octets_per_second: int

    def body_seconds(self, octets: int) -> float:
        """Seconds for a body of which `octets` were received."""
        if self.octets_per_second == 0:
            return self.body
        return min(self.body + octets / self.octets_per_second, BODY_SECONDS_MAX)


def usual_patience(timeout_seconds: float) -> Patience:
    return Patience(timeout_seconds, inf, TLS_SECONDS_MAX, timeout_seconds, BODY_SECONDS_MAX, 0)


def hurried_patience(timeout_seconds: float) -> Patience:
    """Limits under pressure; none is longer than the usual one."""
    return Patience(
        min(timeout_seconds, HURRIED_COMMAND_SECONDS),
        HURRIED_ENVELOPE_SECONDS,
        HURRIED_TLS_SECONDS,
        min(timeout_seconds, HURRIED_PAUSE_SECONDS),
        HURRIED_BODY_SECONDS,
        HURRIED_OCTETS_PER_SECOND,
    )
