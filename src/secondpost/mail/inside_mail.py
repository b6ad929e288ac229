"""A message that is addressed to ourselves: a mail to a reader that came back, or a reader who writes."""

from dataclasses import dataclass

from secondpost.mail.address import ReversePath
from secondpost.mail.queue_id import QueueId

BEGINNING_OCTETS_MAX = 512 * 1024  # of a mail to ourselves that is looked at


@dataclass(frozen=True, slots=True)
class InsideMail:
    id: QueueId  # what the mail changes it changes once: this is the evidence
    sender: ReversePath
    caller: str  # IP address of who handed it over
    beginning: bytes  # at most BEGINNING_OCTETS_MAX, line ends CRLF
