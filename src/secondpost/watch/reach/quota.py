"""How often a source may be asked. Pure.

We stay below the quotas that the services publish, and below what they say in their answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from secondpost.config.records import ReachSettings
from secondpost.mail.duration import DAY_MS, HOUR_MS, SECOND_MS
from secondpost.mail.reach import ReachSource, SourceState

HEADER_DIGITS_MAX = 9


@dataclass(frozen=True, slots=True)
class SourceQuota:
    units: int  # in a window
    window_ms: int


# Globalping's are tests, of which it allows 250 an hour, and 500 with a token. RIPE Atlas' are credits:
# a dozen questions. OONI's are questions, of which it allows ten a minute. The register's are readings.
QUOTAS = {
    ReachSource.GLOBALPING: SourceQuota(200, HOUR_MS),
    ReachSource.ATLAS: SourceQuota(10_000, DAY_MS),
    ReachSource.OONI: SourceQuota(60, HOUR_MS),
    ReachSource.REGISTER: SourceQuota(4, DAY_MS),
}
WITH_TOKEN = SourceQuota(400, HOUR_MS)


def quota_of(settings: ReachSettings, source: ReachSource) -> SourceQuota:
    has_token = settings.key_file(source) is not None
    return WITH_TOKEN if source is ReachSource.GLOBALPING and has_token else QUOTAS[source]


def in_window(state: SourceState, quota: SourceQuota, now_ms: int) -> SourceState:
    """The state in the window of now: a new one begins when the last is over, or the clock was set back."""
    if state.window_ms <= now_ms < state.window_ms + quota.window_ms:
        return state
    return replace(state, used=0, window_ms=now_ms)


def free_at_ms(state: SourceState, quota: SourceQuota, cost: int, now_ms: int) -> int:
    """When a question of this cost may be asked: now, or later."""
    present = in_window(state, quota, now_ms)
    rests_ms = present.rests_until_ms if present.rests_until_ms - now_ms <= DAY_MS else now_ms
    if present.used + cost <= quota.units:
        return max(now_ms, rests_ms)
    return max(present.window_ms + quota.window_ms, rests_ms)


def spent(state: SourceState, quota: SourceQuota, cost: int, now_ms: int) -> SourceState:
    present = in_window(state, quota, now_ms)
    return replace(present, used=present.used + cost)


def heeding(state: SourceState, headers: Mapping[str, str], now_ms: int) -> SourceState:
    """The state after an answer that says that nothing remains until some seconds are over."""
    remaining, reset = (_number(headers.get(f"x-ratelimit-{name}", "")) for name in ("remaining", "reset"))
    if remaining != 0 or reset is None:
        return state
    return replace(state, rests_until_ms=max(state.rests_until_ms, now_ms + min(reset * SECOND_MS, DAY_MS)))


def _number(written: str) -> int | None:
    return int(written) if written.isdecimal() and len(written) <= HEADER_DIGITS_MAX else None
