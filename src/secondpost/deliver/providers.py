"""Mail of issues by provider: how much may be claimed, and what the provider's answers mean for the rest.

A provider that refuses us for what we are is paused: it gets a trial mail an hour, and a delivered one
ends the pause. The store refuses claims of a paused provider in any process; what is kept here saves
looking in vain. One process delivers, so rates and counts of a day need no more than its memory.
"""

from collections.abc import Callable, Sequence

from secondpost.deliver.breaker import Breaker
from secondpost.deliver.mail_bucket import MailBucket
from secondpost.deliver.provider_share import ProviderShare, is_objection
from secondpost.deliver.settling import insist
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.daily import day_of
from secondpost.mail.delivery import Claimed, DeliveryId
from secondpost.mail.duration import DAY_MS, HOUR_MS, SECOND_MS
from secondpost.mail.outcome import Delivered, Outcome
from secondpost.mail.plan import INSIDE, UNSORTED
from secondpost.mail.provider import Provider, provider_of_key, provider_of_site
from secondpost.mail.rate import MailRate
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.mail.warm_up import REMEMBERED_DAYS
from secondpost.store.provider_ports import PauseCause, ProviderDay, ProviderPause
from secondpost.store.provider_ports import Providers as ProviderStore
from secondpost.world.background import Background
from secondpost.world.ports import Clock

REFRESH_MS = 2 * SECOND_MS  # how old what is known of the pauses may be
PAUSED_SECONDS = 5.0  # between two looks whether a pause is over
CONNECTION_SECONDS = 0.5  # between two looks whether a connection is free
FULL_DAY_SECONDS = 60.0  # at most, between two looks whether the next day has begun
SITES_MAX = 10_000  # whose provider is remembered
BREAKERS_MAX = 1_000  # providers whose answers are counted
TRIAL_EVERY_MS = HOUR_MS
WORDS_MAX = 200  # characters of a provider's reply in an alarm

# The most mails that a provider (Provider.counted_as) may get on a day, by the counts lately; None: any.
DayBound = Callable[[Sequence[ProviderDay], str, int], int | None]


def unbounded(_days: Sequence[ProviderDay], _provider: str, _day: int) -> int | None:
    return None


class ProviderTraffic:
    def __init__(
        self,
        connections_max: int,
        rate: MailRate | None,
        store: ProviderStore,
        clock: Clock,
        alarms: StandingAlarms,
        background: Background,
        day_bound: DayBound = unbounded,
    ) -> None:
        self._store = store
        self._clock = clock
        self._alarms = alarms
        self._background = background
        self._day_bound = day_bound
        self._connections_max = connections_max
        self._bucket = None if rate is None else MailBucket(rate.per_second, clock.now_ms())
        self._providers: dict[str, Provider] = {}  # by site
        self._shares: dict[str, ProviderShare] = {}
        self._breakers: dict[str, Breaker] = {}
        self._pauses: dict[tuple[str, PauseCause], ProviderPause] = {}
        self._trials: set[DeliveryId] = set()
        self._day: int | None = None
        self._bounds_day: int | None = None  # whose bounds are known
        self._days: Sequence[ProviderDay] = ()  # the counts that bounds follow
        self._bounds: dict[str, int | None] = {}  # of the day, by Provider.counted_as
        self._today: dict[str, int] = {}  # mails of the day, by Provider.counted_as
        self._refreshed_ms: int | None = None

    # ------------------------------------------------------------ what may go

    async def refresh(self) -> None:
        """Read the pauses from the store again, if that is due."""
        now_ms = self._clock.now_ms()
        if self._refreshed_ms is not None and now_ms - self._refreshed_ms < REFRESH_MS:
            return
        self._refreshed_ms = now_ms
        if self._bounds_day != day_of(now_ms):
            await self._read_days(day_of(now_ms))
        found = {(each.provider, each.cause): each for each in await self._store.provider_pauses()}
        for key, pause in self._pauses.items():
            if key not in found:
                self._is_over(pause)
        self._pauses = found

    async def _read_days(self, today: int) -> None:
        self._days = await self._store.provider_days(today - REMEMBERED_DAYS)
        self._bounds_day = today
        self._bounds.clear()
        if self._day is None:
            self._day = today
            self._today = {each.provider: each.attempts for each in self._days if each.day == today}

    async def keep_days(self) -> None:
        """Let mail to paused providers wait without end."""
        paused = frozenset(provider for provider, _ in self._pauses)
        if len(paused) > 0:
            await self._store.begin_days_anew(paused)

    def share(self, site: str) -> ProviderShare | None:
        """What the site shares with others of its provider; None if it has no profile."""
        profile = self.provider(site).profile
        if profile is None:
            return None
        if profile.key not in self._shares:
            now_ms = self._clock.now_ms()
            self._shares[profile.key] = ProviderShare(profile, self._connections_max, now_ms)
        return self._shares[profile.key]

    def provider(self, site: str) -> Provider:
        provider = self._providers.get(site)
        if provider is None:
            if len(self._providers) >= SITES_MAX:
                self._providers.clear()
            provider = self._providers[site] = provider_of_site(site)
        return provider

    def begins(self, site: str) -> None:
        """Note that a lease of the site is asked for."""
        share = self.share(site)
        if share is not None:
            share.expect(site)

    def ends(self, site: str) -> None:
        """Note that the site has no lease."""
        share = self.share(site)
        if share is not None:
            share.end(site)

    def is_paused(self, site: str) -> bool:
        return len(self._pauses) > 0 and len(self._pauses_of(self.provider(site).key)) > 0

    def wait_seconds(self, site: str) -> float:
        """Seconds until mail to the site may be claimed, or that may be looked at again; 0: now."""
        if site in (INSIDE, UNSORTED):
            return 0.0
        provider, now_ms = self.provider(site), self._clock.now_ms()
        pauses = self._pauses_of(provider.key)
        if len(pauses) > 0 and not _trial_is_due(pauses, now_ms):
            return PAUSED_SECONDS
        if self._left_today(provider, now_ms) == 0:
            return min((DAY_MS - now_ms % DAY_MS) / SECOND_MS, FULL_DAY_SECONDS)
        share = self.share(site)
        if share is not None and not share.has_room(site):
            return CONNECTION_SECONDS
        return max((bucket.wait_seconds(now_ms) for bucket in self._buckets(share)), default=0.0)

    def allowance(self, site: str, wanted: int) -> int:
        """How many of `wanted` mails may be claimed for the site now."""
        if site in (INSIDE, UNSORTED):
            return wanted
        provider, now_ms = self.provider(site), self._clock.now_ms()
        pauses = self._pauses_of(provider.key)
        if len(pauses) > 0:
            wanted = min(wanted, 1) if _trial_is_due(pauses, now_ms) else 0
        left = self._left_today(provider, now_ms)
        if left is not None:
            wanted = min(wanted, left)
        return min([wanted, *(bucket.available(now_ms) for bucket in self._buckets(self.share(site)))])

    def claimed(self, site: str, rows: Sequence[Claimed]) -> None:
        """Note what was claimed within the allowance."""
        if site in (INSIDE, UNSORTED) or len(rows) == 0:
            return
        provider = self.provider(site)
        self._take(provider, len(rows))
        pauses = self._pauses_of(provider.key)
        if len(pauses) > 0:
            now_ms = self._clock.now_ms()
            self._trials.update(row.id for row in rows)
            for pause in pauses:
                later = ProviderPause(
                    pause.provider, pause.cause, pause.since_ms, pause.detail, now_ms + TRIAL_EVERY_MS
                )
                self._pauses[pause.provider, pause.cause] = later

    def untried(self, site: str, mails: int) -> None:
        """Note that claimed mails are handed back."""
        if site not in (INSIDE, UNSORTED):
            self._take(self.provider(site), -mails)

    # ------------------------------------------------------------ what came of it

    def tried(self, site: str, claimed: Claimed, outcome: Outcome, *, sender_fault: bool) -> None:
        provider, now_ms = self.provider(site), self._clock.now_ms()
        share, is_delivered = self.share(site), isinstance(outcome, Delivered)
        if share is not None and is_delivered:
            share.delivered()
        elif share is not None and is_objection(outcome.reply):
            share.objected(now_ms)
        if claimed.id in self._trials:
            self._trials.discard(claimed.id)
            if is_delivered:
                self._background(self._end(provider))
        if self._breaker(provider).note(now_ms, sender_fault=sender_fault):
            self._trip(provider, outcome, now_ms)

    def _trip(self, provider: Provider, outcome: Outcome, now_ms: int) -> None:
        if (provider.key, PauseCause.BREAKER) in self._pauses:
            return
        words = f"{outcome.host}: {outcome.reply}"[:WORDS_MAX]
        pause = ProviderPause(provider.key, PauseCause.BREAKER, now_ms, words, now_ms + TRIAL_EVERY_MS)
        self._pauses[pause.provider, pause.cause] = pause
        detail = f"{provider.name} refuses us, and gets no mail of issues for now: {words}"
        self._alarms.begin(AlarmKind.PROVIDER_PAUSED, provider.counted_as, detail)
        self._background(self._keep(pause))

    async def _keep(self, pause: ProviderPause) -> None:
        await insist(lambda: self._store.pause_provider(pause), "a pause", self._alarms)

    async def _end(self, provider: Provider) -> None:
        key = (provider.key, PauseCause.BREAKER)
        await insist(lambda: self._store.resume_provider(*key), "the end of a pause", self._alarms)
        pause = self._pauses.pop(key, None)
        if pause is not None:
            self._is_over(pause)

    def _is_over(self, pause: ProviderPause) -> None:
        if pause.cause is not PauseCause.BREAKER:
            return
        self._breakers.pop(pause.provider, None)
        self._alarms.end(AlarmKind.PROVIDER_PAUSED, provider_of_key(pause.provider).counted_as)

    # ------------------------------------------------------------ parts

    def _pauses_of(self, key: str) -> list[ProviderPause]:
        if len(self._pauses) == 0:
            return []
        return [pause for (provider, _), pause in self._pauses.items() if provider == key]

    def _buckets(self, share: ProviderShare | None) -> list[MailBucket]:
        return [
            bucket for bucket in (self._bucket, None if share is None else share.bucket) if bucket is not None
        ]

    def _left_today(self, provider: Provider, now_ms: int) -> int | None:
        """How many more mails the provider may get today; None: any number."""
        self._begin_day(now_ms)
        key = provider.counted_as
        if key not in self._bounds:
            self._bounds[key] = self._day_bound(self._days, key, day_of(now_ms))
        most = self._bounds[key]
        return None if most is None else max(most - self._today.get(key, 0), 0)

    def _take(self, provider: Provider, mails: int) -> None:
        self._begin_day(self._clock.now_ms())
        self._today[provider.counted_as] = self._today.get(provider.counted_as, 0) + mails
        share = None if provider.profile is None else self._shares.get(provider.key)
        for bucket in self._buckets(share):
            bucket.take(mails)

    def _begin_day(self, now_ms: int) -> None:
        if self._day is not None and day_of(now_ms) > self._day:
            self._day = day_of(now_ms)
            self._today.clear()

    def _breaker(self, provider: Provider) -> Breaker:
        breaker = self._breakers.pop(provider.key, None)
        if breaker is None:
            breaker = Breaker()
            if len(self._breakers) >= BREAKERS_MAX:
                del self._breakers[next(iter(self._breakers))]
        self._breakers[provider.key] = breaker  # the one asked last comes last
        return breaker


def _trial_is_due(pauses: Sequence[ProviderPause], now_ms: int) -> bool:
    return all(
        pause.cause is PauseCause.BREAKER and pause.trial_ms is not None and pause.trial_ms <= now_ms
        for pause in pauses
    )
