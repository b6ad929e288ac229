"""The alarms about outages: a primary that cannot be reached for longer than `alarms.held_after`,
and held mail that uses up the time for which it is kept.

An outage is an alarm also while no mail waits: the owner learns that the domain lives on its backup.
It is over when the primary is back and what waited before has left. Some messages wait longer for
reasons of their own, so that is waited for only some minutes; a primary that fails again meanwhile
continues the same outage.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from secondpost.config.records import Backup, Config
from secondpost.mail.address import Domain
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.daily import DailyCount, day_of
from secondpost.mail.delivery import State
from secondpost.mail.duration import MINUTE_MS, age_text
from secondpost.mail.envelope import Lane
from secondpost.mail.moment import utc_text
from secondpost.mail.size import size_text
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.store.owner_ports import Count, Desk, SiteDown
from secondpost.world.ports import Clock

KEEP_PERCENTS = (95, 80, 50)
DRAIN_MS_MAX = 10 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class _HeldMail:
    """The mail that waits for a domain's primary."""

    deliveries: int
    octets: int
    oldest_ms: int | None  # when the oldest arrived; None: there is none

    def used_percent(self, backup: Backup, now_ms: int) -> int:
        """The part of `keep` that the oldest message has used."""
        return 0 if self.oldest_ms is None else 100 * (now_ms - self.oldest_ms) // backup.keep_ms


@dataclass(slots=True)
class _Outage:
    since_ms: int
    # When the primary was found down last, and what had been passed on that day before.
    down_ms: int
    passed_on: int
    up_ms: int | None = None  # the primary is back since then


class OutageAlarms:
    def __init__(self, config: Config, desk: Desk, clock: Clock, alarms: StandingAlarms) -> None:
        self._config = config
        self._desk = desk
        self._clock = clock
        self._alarms = alarms
        self._outages: dict[Domain, _Outage] = {}

    async def look(self, counts: Sequence[Count]) -> None:
        """Begin, update and end the alarms. `counts`: the store's, as of now."""
        site_of = dict(await self._desk.relay_sites())
        down = {each.site: each for each in await self._desk.sites_down()}
        if len(down) == 0 and len(self._outages) == 0:
            return
        for backup in self._config.backups:
            found = down.get(site_of.get(backup.domain, ""))
            waiting = _waiting_for(backup.domain, counts)
            if found is not None:
                await self._is_down(backup, found, waiting)
            elif backup.domain in self._outages:
                await self._is_back(backup.domain, self._outages[backup.domain], waiting)

    async def _is_down(self, backup: Backup, found: SiteDown, waiting: _HeldMail) -> None:
        domain, now_ms = backup.domain, self._clock.now_ms()
        outage = self._outages.get(domain)
        if outage is None:
            if now_ms - found.since_ms < self._config.alarms.held_after_ms:
                return
            outage = self._outages[domain] = _Outage(found.since_ms, now_ms, 0)
        outage.down_ms, outage.up_ms = now_ms, None
        outage.passed_on = await self._passed_on(domain, now_ms)
        self._alarms.begin(AlarmKind.MAIL_HELD, domain.name, _held_text(backup, outage, found, waiting))
        percent = waiting.used_percent(backup, now_ms)
        step = next((each for each in KEEP_PERCENTS if percent >= each), 0)
        if step > 0:
            self._alarms.begin(
                AlarmKind.KEEP_RUNS_OUT, domain.name, _keep_text(backup, waiting, percent), step
            )
        else:
            self._alarms.end(AlarmKind.KEEP_RUNS_OUT, domain.name)

    async def _is_back(self, domain: Domain, outage: _Outage, waiting: _HeldMail) -> None:
        now_ms = self._clock.now_ms()
        if outage.up_ms is None:
            outage.up_ms = now_ms
        drains = waiting.oldest_ms is not None and waiting.oldest_ms < outage.up_ms
        if drains and now_ms - outage.up_ms < DRAIN_MS_MAX:
            return
        passed_on = max(await self._passed_on(domain, outage.down_ms) - outage.passed_on, 0)
        lasted = age_text(outage.up_ms - outage.since_ms)
        self._alarms.end(
            AlarmKind.MAIL_HELD,
            domain.name,
            f"its primary could not be reached for {lasted}. Since then {_were(passed_on)} delivered, "
            f"and {_wait(waiting.deliveries)}.",
        )
        self._alarms.end(AlarmKind.KEEP_RUNS_OUT, domain.name)
        del self._outages[domain]

    async def _passed_on(self, domain: Domain, since_ms: int) -> int:
        """Deliveries passed on since the day of `since_ms` began."""
        today = day_of(self._clock.now_ms())
        days = today - day_of(since_ms) + 1
        return sum(
            count.all_days
            for count in await self._desk.day_counts(today, days)
            if count.domain == domain and count.what is DailyCount.PASSED_ON
        )


def _waiting_for(domain: Domain, counts: Sequence[Count]) -> _HeldMail:
    waiting = [
        count
        for count in counts
        if count.domain == domain.name
        and count.lane in (Lane.RELAY, Lane.UNVERIFIED)
        and count.state in (State.WAITING, State.CLAIMED)
    ]
    return _HeldMail(
        sum(count.deliveries for count in waiting),
        sum(count.octets for count in waiting),
        min((count.oldest_ms for count in waiting), default=None),
    )


def _held_text(backup: Backup, outage: _Outage, found: SiteDown, waiting: _HeldMail) -> str:
    down = (
        f"its primary cannot be reached, since {utc_text(outage.since_ms)} ({found.cause}: {found.detail})."
    )
    if waiting.oldest_ms is None:
        return f"{down} No mail waits for it yet."
    kept = utc_text(waiting.oldest_ms + backup.keep_ms)
    return f"{down} {_wait(waiting.deliveries)} ({size_text(waiting.octets)}), the oldest until {kept}."


def _keep_text(backup: Backup, waiting: _HeldMail, percent: int) -> str:
    assert waiting.oldest_ms is not None, "mail that does not wait uses no time"
    kept_ms = waiting.oldest_ms + backup.keep_ms
    return (
        f"the oldest message that waits has used {percent} % of `keep` ({age_text(backup.keep_ms)}), and is "
        f"tried until {utc_text(kept_ms)}"
    )


def _were(deliveries: int) -> str:
    return "1 message was" if deliveries == 1 else f"{deliveries:,} messages were"


def _wait(deliveries: int) -> str:
    if deliveries == 0:
        return "none waits"
    return "1 message waits" if deliveries == 1 else f"{deliveries:,} messages wait"
