"""A message addressed to us: a bounced mail of a reader, or a mail from a reader."""

from dataclasses import dataclass

from secondpost.mail.address import ReversePath
from secondpost.mail.queue_id import QueueId

BEGINNING_OCTETS_MAX = 512 * 1024  # octets of a mail to us that are examined


@dataclass(frozen=True, slots=True)
class InsideMail:
    """A message to us, with the octets that are examined."""

    id: QueueId  # recorded with its effects, so that they happen only once
    sender: ReversePath
    caller: str  # IP address of the client that handed it over
    beginning: bytes  # at most BEGINNING_OCTETS_MAX, line ends CRLF
