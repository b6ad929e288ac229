"""The lead: a lease under which one process at a time does what must not run twice."""

from secondpost.mail.envelope import Lane
from secondpost.store.newsletter_ports import LeadershipLost
from secondpost.store.ports import Lease
from secondpost.store.verbs.claims import ClaimsVerbs
from secondpost.store.verbs.steps import Steps, number, rows, run
from secondpost.store.verbs.witness import is_held_copy


class LeadingVerbs(ClaimsVerbs):
    async def lead(self, what: str) -> Lease | None:
        """Take the lead, as a lease of a site to which nothing is ever sent.

        In a copy that the owner has not accepted no process leads, so no issue is made or sent.

        The lease of a dead process is dropped here too: without a running service nothing sweeps,
        and a killed command would lead for ever.
        """
        if await self._engine.read(is_held_copy()):
            return None
        site = f"leader of {what}"
        lease = await self.lease(Lane.OWN, site)
        if lease is None and await self._ended_leader_removed(site):
            return await self.lease(Lane.OWN, site)
        return lease

    async def _ended_leader_removed(self, site: str) -> bool:
        leaders = await self._engine.read(rows("issues.leader", Lane.OWN.value, site))
        if len(leaders) == 0:
            return True  # it was given back meanwhile
        [(worker, lock)] = leaders
        held = self._engine.hold(str(lock))
        if held is None:
            return False

        def drop() -> Steps[None]:
            yield from run("issues.drop_leader", Lane.OWN.value, site, number(worker))

        try:
            await self._engine.change(drop)
        finally:
            held.release()
        return True


def check_led(leader: Lease) -> Steps[None]:
    """Raise LeadershipLost unless the lease is still valid."""
    if len((yield from rows("issues.is_led", leader.fence))) == 0:
        raise LeadershipLost("the leader lost its lease")
