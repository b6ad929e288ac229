"""Providers: pauses of their issues' mail, and what became of it by day."""

from collections import Counter
from collections.abc import Awaitable, Collection, Iterable, Mapping
from enum import Enum, auto
from functools import partial

from secondpost.mail.daily import day_of
from secondpost.mail.delivery import State
from secondpost.mail.duration import HOUR_MS
from secondpost.mail.provider import provider_of_place, provider_of_site
from secondpost.store.ports import Settlement
from secondpost.store.provider_ports import PauseCause, ProviderDay, ProviderPause
from secondpost.store.verbs.engine import BATCH_ROWS, Verbs
from secondpost.store.verbs.statistics import count_deferred
from secondpost.store.verbs.steps import Row, Steps, maybe_number, number, rows, run

TRIAL_EVERY_MS = HOUR_MS


class ProvidersVerbs(Verbs):
    async def provider_pauses(self) -> list[ProviderPause]:
        return [
            ProviderPause(
                str(provider), PauseCause(str(cause)), number(since_ms), str(detail), maybe_number(trial_ms)
            )
            for provider, cause, since_ms, detail, trial_ms in await self._engine.read(
                rows("providers.pauses")
            )
        ]

    def pause_provider(self, pause: ProviderPause) -> Awaitable[bool]:
        def write() -> Steps[bool]:
            standing = yield from rows("providers.pauses_of", pause.provider)
            values = (pause.provider, pause.cause.value, pause.since_ms, pause.detail, pause.trial_ms)
            yield from run("providers.pause", *values)
            return all(cause != pause.cause.value for cause, _ in standing)

        return self._engine.change(write)

    def resume_provider(self, provider: str, cause: PauseCause) -> Awaitable[bool]:
        def write() -> Steps[bool]:
            return (yield from run("providers.resume", provider, cause.value)) == 1

        return self._engine.change(write)

    async def provider_days(self, since_day: int) -> list[ProviderDay]:
        found = await self._engine.read(rows("providers.days", since_day))
        return [ProviderDay(str(provider), *map(number, numbers)) for provider, *numbers in found]

    async def complaints_by_provider(self, since_ms: int) -> Mapping[str, int]:
        counts: Counter[str] = Counter()
        for name, site, readers in await self._engine.read(rows("providers.complained", since_ms)):
            counts[provider_of_place(str(name), str(site)).counted_as] += number(readers)
        return counts

    def forget_provider_days(self, before_day: int) -> Awaitable[int]:
        return self._engine.change(lambda: run("providers.forget_days", before_day))

    async def begin_days_anew(self, providers: Collection[str]) -> None:
        for id, site in await self._engine.read(rows("providers.domains")):
            if provider_of_site(str(site)).key in providers:
                batch = partial(_begin_anew, number(id))
                while await self._engine.change(batch, BATCH_ROWS) == BATCH_ROWS:
                    pass


def _begin_anew(domain: int) -> Steps[int]:
    tried = yield from rows("providers.tried", domain, BATCH_ROWS)
    if len(tried) > 0:
        yield from run("providers.begin_days_anew", chosen=tried)
    return len(tried)


class Claimable(Enum):
    """What a provider's pauses allow to claim of the mails of issues to a site."""

    ALL = auto()
    TRIAL = auto()  # one
    NONE = auto()


def claimable(site: str, now_ms: int) -> Steps[Claimable]:
    pauses = yield from rows("providers.pauses_of", provider_of_site(site).key)
    for cause, trial_ms in pauses:
        due_ms = maybe_number(trial_ms)
        if cause != PauseCause.BREAKER.value or due_ms is None or due_ms > now_ms:
            return Claimable.NONE
    return Claimable.ALL if len(pauses) == 0 else Claimable.TRIAL


def note_trial(site: str, now_ms: int) -> Steps[None]:
    """Let the next trial mail of the site's provider wait: one was claimed."""
    yield from run("providers.next_trial", provider_of_site(site).key, now_ms + TRIAL_EVERY_MS)


def count(settlements: Iterable[Settlement]) -> Steps[None]:
    """Count what became of mails of issues, by provider and day, and by issue those put off."""
    counts: dict[tuple[str, int], list[int]] = {}
    put_off: list[Row] = []
    for one in settlements:
        if one.provider == "" or not one.attempted:
            continue
        of_day = counts.setdefault((one.provider, day_of(one.at_ms)), [0, 0, 0, 0, 0])
        of_day[_COLUMN.get(one.state, _FAILED)] += 1
        of_day[_SENDER_FAULT] += one.sender_fault
        if one.state is State.WAITING:
            put_off.append((one.id.queue_id, one.id.number))
    if len(counts) > 0:
        chosen: list[Row] = [(*key, *of_day) for key, of_day in counts.items()]
        yield from run("providers.count", chosen=chosen)
    if len(put_off) > 0:
        yield from count_deferred(put_off)


_FAILED, _SENDER_FAULT = 2, 4
_COLUMN = {State.DELIVERED: 0, State.WAITING: 1, State.UNKNOWN: 3}
