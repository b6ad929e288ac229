"""How long the next issue will take, from what the newsletter's store knows now."""

from typing import TYPE_CHECKING

from secondpost.config.records import Config
from secondpost.mail.daily import day_of
from secondpost.mail.duration import DAY_MS, SECOND_MS
from secondpost.mail.warm_up import REMEMBERED_DAYS
from secondpost.newsletter.forecast import Forecast, SlowedBy, forecast

if TYPE_CHECKING:
    from secondpost.owner.newsletter_desk import OpenNewsletter


async def forecast_of(open_: "OpenNewsletter", config: Config, newsletter: str) -> Forecast:
    """The forecast of an issue of the newsletter that would be frozen now."""
    store, now_ms = open_.store, open_.clock.now_ms()
    counts = await store.provider_days(day_of(now_ms) - REMEMBERED_DAYS)
    paused = frozenset(pause.provider for pause in await store.provider_pauses())
    rate = config.send.rate
    per_day = None if rate is None else int(rate.per_second * (DAY_MS // SECOND_MS))
    limits = SlowedBy(config.warms_up, per_day, paused)
    return forecast(await store.readers_by_provider(newsletter), counts, limits, now_ms)
