"""Port for the proofs of a sender's duties (SPF, DKIM, DMARC, reverse name), in the newsletter's store."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class DutyProof:
    """What was found last about the DNS records of a domain in From."""

    domain: str
    looked_ms: int  # the last look that DNS answered
    proven_ms: int | None  # the last look that found all records correct; None: there was none
    fault: str  # what the last look found wrong, with the records to publish; "" if nothing


class DutyProofs(Protocol):
    async def duty_proof(self, domain: str) -> DutyProof | None:
        """None if the domain was never looked at."""
        ...

    def write_duty_proof(self, proof: DutyProof) -> Awaitable[None]:
        """Replace what is known of the domain; without a proof of its own it keeps the last one's time."""
        ...
