"""The JSON document of how long an issue would take, by the rules of documents.py."""

from dataclasses import dataclass

from secondpost.config.records import Newsletter
from secondpost.newsletter.forecast import Forecast
from secondpost.newsletter.forecasting import forecast_text
from secondpost.owner.reader_documents import time_text


@dataclass(frozen=True, slots=True)
class ProviderPartDocument:
    """What a provider gets of an issue."""

    provider: str
    name: str
    readers: int
    today: int
    bound: int | None
    paused: bool


@dataclass(frozen=True, slots=True)
class ForecastDocument:
    """How long an issue would take."""

    readers: int
    days: int | None
    ends: str | None
    today: list[ProviderPartDocument]
    words: str


def forecast_document(found: Forecast, newsletter: Newsletter, now_ms: int) -> ForecastDocument:
    return ForecastDocument(
        readers=found.readers,
        days=found.days,
        ends=time_text(found.ends_ms(now_ms)),
        today=[
            ProviderPartDocument(
                share.provider, share.name, share.readers, share.today, share.bound, share.is_paused
            )
            for share in found.today
        ],
        words=forecast_text(found, newsletter, now_ms),
    )
