"""The proof of a sender's duties: the deliver role looks at DNS and at the link by which readers leave, and
the publish role reads what it found.

The publish role has no network: the two meet in the newsletter's store.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from secondpost.config.records import Config, Newsletter
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.duration import DAY_MS, duration_text
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.setup.duties import duties_of
from secondpost.setup.wanted import sender_domain, sender_domains
from secondpost.store.duty_ports import DutyProof, DutyProofs
from secondpost.store.ports import StoreFull, StoreUnavailable
from secondpost.world.ports import Clock, DiskFailed, KeyFault

LOOK_SECONDS = 900.0  # between two looks while all is proven
LOOK_AGAIN_SECONDS = 60.0  # while it is not: a record that was just published is soon seen
PROOF_MS_MAX = 7 * DAY_MS  # the age up to which a proof counts while DNS does not answer


class DutyWatch:
    """Looks at the start, and again for as long as it runs; idle where no proof is needed."""

    def __init__(self, config: Config, store: DutyProofs, clock: Clock, alarms: StandingAlarms) -> None:
        self._config = config
        self._store = store
        self._clock = clock
        self._alarms = alarms

    async def run(self) -> None:
        if self._config.send.unverified or len(self._config.newsletters) == 0:
            return
        while True:
            is_proven = False
            try:
                is_proven = await self.look()
            except (StoreFull, StoreUnavailable, KeyFault, DiskFailed) as error:
                # The last proof counts until the next look.
                self._alarms.begin(AlarmKind.HOUSEKEEPING_WAITS, "", f"look at senders' duties: {error}")
            await asyncio.sleep(LOOK_SECONDS if is_proven else LOOK_AGAIN_SECONDS)

    async def prove(self) -> None:
        """Look once if an issue would wait for a proof: the owner has just published the records, or
        the service was just started.
        """
        if self._config.send.unverified:
            return
        now_ms = self._clock.now_ms()
        for domain in sender_domains(self._config):
            if unproven(domain.name, await self._store.duty_proof(domain.name), now_ms) is not None:
                with suppress(KeyFault, DiskFailed):  # then the reason that it is not proven stands
                    await self.look()
                return

    async def look(self) -> bool:
        """Look once, and note what was found. Whether all senders are proven."""
        # Imported late: the deliver role of a backup without a newsletter does not need it.
        from secondpost.roles.leave_look import look_at_leave_link
        from secondpost.roles.zones import look_at_duties

        of_link, of_dns = await asyncio.gather(look_at_leave_link(self._config), look_at_duties(self._config))
        found = [*of_link, *of_dns]
        now_ms, are_proven = self._clock.now_ms(), []
        for domain in sender_domains(self._config):
            duties = duties_of(self._config, domain, found)
            are_proven.append(duties.is_proven)
            if len(duties.faults) == 0 and len(duties.unanswered) > 0:
                continue  # a time-out refutes nothing
            proven_ms = now_ms if duties.is_proven else None
            await self._store.write_duty_proof(DutyProof(domain.name, now_ms, proven_ms, duties.fault))
        return all(are_proven)


def why_unproven(
    config: Config, store: DutyProofs, clock: Clock
) -> Callable[[Newsletter], Awaitable[str | None]]:
    """A function that says why no issue of a newsletter may go out, with what mends it; None if one may."""

    async def why(newsletter: Newsletter) -> str | None:
        if config.send.unverified:
            return None
        domain = sender_domain(newsletter).name
        return unproven(domain, await store.duty_proof(domain), clock.now_ms())

    return why


def unproven(domain: str, proof: DutyProof | None, now_ms: int) -> str | None:
    if proof is None:
        return f"the service has not yet seen the DNS records of {domain}. To see them: secondpost check dns"
    if len(proof.fault) > 0:
        return proof.fault
    if proof.proven_ms is None or now_ms - proof.proven_ms > PROOF_MS_MAX:
        days = duration_text(PROOF_MS_MAX)
        return f"DNS has not answered about {domain} for more than {days}. To see why: secondpost check dns"
    return None
