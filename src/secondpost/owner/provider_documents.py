"""Providers of readers' mailboxes for the owner: their pauses and today's mail, and the JSON of both."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from secondpost.mail.provider import OTHERS, PROFILES, counted_name, provider_of_key
from secondpost.owner.figures import utc_time
from secondpost.store.provider_ports import ProviderDay, ProviderPause


@dataclass(frozen=True, slots=True)
class ProviderStands:
    key: str
    name: str
    today: ProviderDay
    pauses: tuple[ProviderPause, ...]


@dataclass(frozen=True, slots=True)
class ProviderPauseDocument:
    """Why and since when a provider gets no mail of issues."""

    cause: str
    since: str
    detail: str
    next_trial: str | None


@dataclass(frozen=True, slots=True)
class PausedProviderDocument(ProviderPauseDocument):
    """A pause in `status`."""

    provider: str
    name: str


@dataclass(frozen=True, slots=True)
class ProviderDocument:
    """A provider in `providers list`, `pause` and `resume`."""

    provider: str
    name: str
    delivered: int
    deferred: int
    failed: int
    unknown: int
    sender_fault: int
    pauses: list[ProviderPauseDocument]


def providers_stand(
    pauses: Sequence[ProviderPause], days: Sequence[ProviderDay], today: int
) -> list[ProviderStands]:
    """Providers with a profile, then all others together, then paused ones without a profile."""
    of_today = {each.provider: each for each in days if each.day == today}
    known = [profile.key for profile in PROFILES] + [OTHERS]
    paused = sorted({pause.provider for pause in pauses}.difference(known))
    return [
        ProviderStands(
            key,
            counted_name(key),
            of_today.get(key, ProviderDay(key, today)),
            tuple(pause for pause in pauses if pause.provider == key),
        )
        for key in (*known, *paused)
    ]


def provider_document(stands: ProviderStands) -> ProviderDocument:
    day = stands.today
    return ProviderDocument(
        provider=stands.key,
        name=stands.name,
        delivered=day.delivered,
        deferred=day.deferred,
        failed=day.failed,
        unknown=day.unknown,
        sender_fault=day.sender_fault,
        pauses=[provider_pause_document(pause) for pause in stands.pauses],
    )


def provider_pause_document(pause: ProviderPause) -> ProviderPauseDocument:
    return ProviderPauseDocument(
        pause.cause.value,
        utc_time(pause.since_ms),
        pause.detail,
        None if pause.trial_ms is None else utc_time(pause.trial_ms),
    )


def paused_document(pause: ProviderPause) -> PausedProviderDocument:
    return PausedProviderDocument(
        **asdict(provider_pause_document(pause)),
        provider=pause.provider,
        name=provider_of_key(pause.provider).name,
    )
