"""A command looks at DNS itself before it says that an issue waits for a proof."""

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from secondpost.config.records import Send
from secondpost.roles.duties import PROOF_MS_MAX, DutyWatch
from secondpost.store.duty_ports import DutyProof
from secondpost.world.ports import KeyFault
from tests.alarms import unlogged_alarms
from tests.clock import START_MS, SetClock
from tests.newsletter.blog import WEEKLY
from tests.watch.test_alarm_desk import CONFIG as OFFICE

DOMAIN = "example.net"
CONFIG = replace(OFFICE, newsletters=(WEEKLY,))
PROVEN = DutyProof(DOMAIN, START_MS, START_MS, "")


@dataclass
class Proofs:
    """The store of proofs, as a dict."""

    by_domain: dict[str, DutyProof] = field(default_factory=dict)

    async def duty_proof(self, domain: str) -> DutyProof | None:
        return self.by_domain.get(domain)

    async def write_duty_proof(self, proof: DutyProof) -> None:
        self.by_domain[proof.domain] = proof


class Counted(DutyWatch):
    looks = 0
    has_keys = True

    async def look(self) -> bool:
        self.looks += 1
        if not self.has_keys:
            raise KeyFault("there is no key")
        return True


def looks(proof: DutyProof | None, *, unverified: bool = False, has_keys: bool = True) -> int:
    proofs = Proofs() if proof is None else Proofs({DOMAIN: proof})
    watch = Counted(replace(CONFIG, send=Send(unverified=unverified)), proofs, SetClock(), unlogged_alarms())
    watch.has_keys = has_keys
    asyncio.run(watch.prove())
    return watch.looks


@pytest.mark.parametrize(
    ("proof", "many"),
    [
        (None, 1),
        (DutyProof(DOMAIN, START_MS, None, "the DMARC record is missing"), 1),
        (replace(PROVEN, proven_ms=START_MS - PROOF_MS_MAX - 1), 1),
        (PROVEN, 0),
    ],
)
def test_it_looks_if_an_issue_would_wait_and_otherwise_not(proof: DutyProof | None, many: int) -> None:
    assert looks(proof) == many


def test_where_no_proof_is_needed_it_does_not_look() -> None:
    assert looks(None, unverified=True) == 0


def test_without_keys_the_reason_stands() -> None:
    assert looks(None, has_keys=False) == 1
