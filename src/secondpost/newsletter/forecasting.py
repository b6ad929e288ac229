"""How long an issue will take, from what the newsletter's store knows now, and whether it will be done
when the next one is due.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol
from zoneinfo import ZoneInfo

from secondpost.config.records import Config, Newsletter
from secondpost.mail.calendar import next_slot
from secondpost.mail.daily import day_of
from secondpost.mail.duration import DAY_MS, HOUR_MS, SECOND_MS
from secondpost.mail.moment import weekday_text
from secondpost.mail.slot import parse_slot
from secondpost.mail.warm_up import REMEMBERED_DAYS
from secondpost.newsletter.forecast import Forecast, SlowedBy, forecast
from secondpost.newsletter.issues import LATE_MS
from secondpost.store.provider_ports import ProviderDays, ProviderPauses

# The forecast of an issue of a newsletter that would be frozen now.
Forecasting = Callable[[Newsletter], Awaitable[Forecast]]


class ForecastStore(ProviderDays, ProviderPauses, Protocol):
    """What a forecast needs of the store."""

    async def readers_by_provider(self, newsletter: str) -> Mapping[str, int]: ...


async def forecast_of(store: ForecastStore, config: Config, newsletter: Newsletter, now_ms: int) -> Forecast:
    """The forecast of an issue that would be frozen now."""
    counts = await store.provider_days(day_of(now_ms) - REMEMBERED_DAYS)
    paused = frozenset(pause.provider for pause in await store.provider_pauses())
    rate = config.send.rate
    per_day = None if rate is None else int(rate.per_second * (DAY_MS // SECOND_MS))
    limits = SlowedBy(config.warms_up, per_day, paused)
    return forecast(await store.readers_by_provider(newsletter.name), counts, limits, now_ms)


def overtaken_ms(found: Forecast, newsletter: Newsletter, begins_ms: int) -> int | None:
    """The next time of the calendar, if an issue that begins at `begins_ms` may still be sent then.

    None if it is done by then, or if there are no fixed times.
    """
    coming = next_slot(parse_slot(newsletter.every), ZoneInfo(newsletter.timezone), begins_ms)
    # One of a single day is not known to the hour; it ends the same day.
    if coming is None or found.readers == 0 or (found.days is not None and found.days <= 1):
        return None
    ends_ms = found.ends_ms(begins_ms)
    return coming.at_ms if ends_ms is None or ends_ms > coming.at_ms else None


def overtaken_text(at_ms: int, newsletter: Newsletter, now_ms: int) -> str:
    """What happens at the time of `overtaken_ms`, for the owner."""
    when = weekday_text(at_ms, ZoneInfo(newsletter.timezone), now_ms)
    late = LATE_MS // HOUR_MS
    return (
        f"It may not be done by the next time, {when}: no other issue goes out before it is, and one that "
        f"would be more than {late} hours late is left out; its articles wait."
    )


def forecast_text(found: Forecast, newsletter: Newsletter, now_ms: int) -> str:
    """All that is said before an issue begins now; empty if there are no readers."""
    at_ms = overtaken_ms(found, newsletter, now_ms)
    more = [] if at_ms is None else [overtaken_text(at_ms, newsletter, now_ms)]
    return " ".join([found.sentence(), *more])
