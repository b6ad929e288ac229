"""The proofs of a sender's duties."""

from collections.abc import Awaitable

from secondpost.store.duty_ports import DutyProof
from secondpost.store.verbs.engine import Verbs
from secondpost.store.verbs.steps import Steps, maybe_number, number, rows, run


class DutiesVerbs(Verbs):
    async def duty_proof(self, domain: str) -> DutyProof | None:
        found = await self._engine.read(rows("duties.proof", domain))
        for looked_ms, proven_ms, fault in found:
            return DutyProof(domain, number(looked_ms), maybe_number(proven_ms), str(fault))
        return None

    def write_duty_proof(self, proof: DutyProof) -> Awaitable[None]:
        def write() -> Steps[None]:
            yield from run("duties.write", proof.domain, proof.looked_ms, proof.proven_ms, proof.fault)

        return self._engine.change(write)
