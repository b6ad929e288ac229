"""Records which sites are up or down, the site of each domain, and the refusal budgets."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

from secondpost.config.records import Config
from secondpost.deliver.places import UpLately
from secondpost.deliver.primaries import Primaries
from secondpost.deliver.refusal_budget import RefusalBudget, RefusalBudgets
from secondpost.deliver.settling import insist
from secondpost.mail.address import Domain
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.delivery import Claimed
from secondpost.mail.envelope import Lane
from secondpost.mail.metrics import Metric
from secondpost.mail.outcome import Cause
from secondpost.mail.plan import NO_WAY
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.mail.tally import Tally
from secondpost.maillog import MailLog
from secondpost.spool.schedule import handed_back
from secondpost.store.ports import Claims, Lease
from secondpost.world.ports import Clock


@dataclass(frozen=True, slots=True)
class SiteRecord:
    """Each verb returns once the store has the change, however long the store is busy or full."""

    config: Config
    claims: Claims
    clock: Clock
    log: MailLog
    primaries: Primaries
    up_lately: UpLately
    alarms: StandingAlarms
    tally: Tally
    budgets: RefusalBudgets = field(default_factory=RefusalBudgets)

    def budget_of(self, site: str) -> RefusalBudget:
        return self.budgets.of(site)

    async def mark_down(self, site: str, cause: Cause, detail: str) -> None:
        now_ms = self.clock.now_ms()
        next_ms = now_ms + self.config.deliver.probe_ms
        write = partial(self.claims.site_down, site, cause.word, detail, now_ms, next_ms)
        if await insist(write, f"{site} is down", self.alarms):
            self.log.site_down(site, cause, detail)
            self.tally.count(Metric.SITES_DOWN)
        # Also if it was down already: an alarm does not outlive its process, the site's row does.
        if cause not in (Cause.DNS, Cause.LOOP):
            self.alarms.end(AlarmKind.NO_ROUTE, site)
        elif self._is_of_ours(site):
            self.alarms.begin(AlarmKind.NO_ROUTE, site, detail)
        if cause is Cause.LOGIN:
            self.alarms.begin(AlarmKind.LOGIN_REFUSED, site, detail)

    def _is_of_ours(self, site: str) -> bool:
        """Whether the owner is alarmed about the site: not if it is the missing route to a domain
        with which any stranger may have signed up.
        """
        if not site.startswith(NO_WAY):
            return True
        domain = Domain(site.removeprefix(NO_WAY))
        owners = {mailbox.domain for mailbox in self.config.owner}
        return domain in owners or self.config.backup_for(domain) is not None

    async def mark_up(self, site: str) -> None:
        write = partial(self.claims.site_up, site, self.clock.now_ms())
        await insist(write, f"{site} is up", self.alarms)
        self.alarms.end(AlarmKind.NO_ROUTE, site)
        self.alarms.end(AlarmKind.LOGIN_REFUSED, site)

    async def hint(self, lane: Lane, domain: Domain, site: str) -> None:
        """Record the domain's site."""
        if lane in (Lane.RELAY, Lane.UNVERIFIED):
            self.primaries.belongs(domain, site)
        await insist(partial(self.claims.hint_site, lane, domain, site), f"the way to {domain}", self.alarms)

    async def pause(self, lane: Lane, domain: Domain, until_ms: int) -> None:
        write = partial(self.claims.pause_domain, lane, domain, until_ms)
        await insist(write, f"the pause of {domain}", self.alarms)

    async def hand_back(self, lease: Lease, rows: Iterable[Claimed]) -> None:
        """Hand rows back untried; on return they can be claimed again."""
        now_ms = self.clock.now_ms()
        settlements = [handed_back(row, now_ms) for row in rows]
        await insist(
            partial(self.claims.settle, lease, settlements), "what goes to another site", self.alarms
        )

    async def give_back(self, lease: Lease) -> None:
        """Give a lease back; otherwise its site's mail would wait for the end of this process."""
        await insist(partial(self.claims.give_back, lease), f"the lease of {lease.site}", self.alarms)
