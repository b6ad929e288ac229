"""Advisories about what runs here: asked for once a day, kept, and rung for where a hole is open.

What the service last answered stays until it answers again, so that a hole goes on ringing while there is
no way out, and a role that starts needs no answer.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from secondpost.mail.alarm import AlarmKind
from secondpost.mail.duration import DAY_MS, HOUR_MS, age_text
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.protocols.osv.circumstances import Circumstances
from secondpost.protocols.osv.findings import AdvisoryFinding, known_holes
from secondpost.protocols.osv.judging import Installed
from secondpost.protocols.osv.questions import ANSWERS, AdvisoriesFound, about, asked_advisories
from secondpost.protocols.osv.records import Advisory, AdvisoryUnreadable, kept_text, read_kept
from secondpost.protocols.service_questions import AskService, ServiceAnswer, ServiceRequest, ServiceSilent
from secondpost.store.advisory_ports import (
    RECORDS_AT_ONCE,
    AdvisoriesDesk,
    AdvisoriesKeeping,
    KeptAdvisory,
)
from secondpost.world.asking import drive
from secondpost.world.ports import Clock

ROUND_MS = DAY_MS
AGAIN_MS = HOUR_MS  # after no answer
SILENT_MS_MAX = 3 * DAY_MS  # without a good answer, before it is an alarm
ROUND_SECONDS_MAX = 900.0
ATTEMPTS = 4  # of one question
PAUSE_SECONDS, PAUSE_SECONDS_MAX = 2.0, 120.0  # after the first that failed; it doubles
TOO_MANY = 429
UNREADABLE_SHOWN = 3
WHY_CHARACTERS_MAX = 500
OPEN_STEP, GRAVE_STEP = 1, 2  # of the alarm
GRAVE = frozenset({"high", "critical"})
NAMED_MAX = 5  # holes in the text of an alarm


@dataclass(frozen=True, slots=True)
class NotAnswered:
    """`reason` says why not, in words that can follow the name of the service and a colon."""

    reason: str


class _Unanswered(Exception):
    pass


async def ask_advisories(
    inventory: Sequence[Installed],
    kept: Iterable[Advisory],
    ask: AskService,
    attempts: int = ATTEMPTS,
) -> AdvisoriesFound | NotAnswered:
    """Ask a service for all advisories about what is installed; what is busy or silent is asked again."""
    asking = asked_advisories(inventory, {one.id: one for one in kept})
    try:
        async with asyncio.timeout(ROUND_SECONDS_MAX):
            return await drive(asking, partial(_answer, ask, attempts))
    except TimeoutError:
        return NotAnswered(f"it did not answer all questions within {ROUND_SECONDS_MAX:g} seconds")
    except _Unanswered as unanswered:
        return NotAnswered(str(unanswered))
    except AdvisoryUnreadable as unreadable:
        return NotAnswered(str(unreadable))


async def _answer(ask: AskService, attempts: int, request: ServiceRequest) -> ServiceAnswer:
    pause_seconds = PAUSE_SECONDS
    for attempt in range(1, attempts + 1):
        match await ask(request):
            case ServiceSilent(reason):
                wait_seconds, why = pause_seconds, reason
            case ServiceAnswer(status) as answer if status in ANSWERS:
                return answer
            case ServiceAnswer(status) as answer if status == TOO_MANY or status >= 500:
                wait_seconds, why = _wait_seconds(answer, pause_seconds), f"it answers {status}"
            case ServiceAnswer(status):
                raise _Unanswered(f"it answers {status}")
        if attempt == attempts or wait_seconds > PAUSE_SECONDS_MAX:
            raise _Unanswered(why)
        await asyncio.sleep(wait_seconds)
        pause_seconds *= 2
    raise _Unanswered("it is not asked at all")


def _wait_seconds(answer: ServiceAnswer, pause_seconds: float) -> float:
    """As long as it asks for, if that is a number of seconds."""
    asked = answer.headers.get("retry-after", "")
    return max(float(asked), pause_seconds) if asked.isdecimal() and len(asked) < 10 else pause_seconds


async def kept_advisories(store: AdvisoriesDesk) -> list[tuple[Advisory, KeptAdvisory]]:
    """What the store keeps, without what an older version wrote in another form."""
    found = []
    for kept in await store.advisories():
        try:
            found.append((read_kept(kept.record.encode()), kept))
        except AdvisoryUnreadable:
            continue
    return found


@dataclass(frozen=True, slots=True)
class WhatRuns:
    inventory: Sequence[Installed]
    here: Circumstances


class AdvisoryRounds:
    """Asks when a round is due, and rings for what is open."""

    def __init__(
        self,
        store: AdvisoriesKeeping,
        clock: Clock,
        alarms: StandingAlarms,
        ask: AskService,
        runs: WhatRuns,
        service: str,
    ) -> None:
        """`service`: its host, for people."""
        self._store = store
        self._clock = clock
        self._alarms = alarms
        self._ask = ask
        self._runs = runs
        self._service = service

    async def look(self) -> None:
        """Ask if it is due, and ring for what is known now."""
        look, now_ms = await self._store.advisory_look(), self._clock.now_ms()
        pause_ms = ROUND_MS if look.failing_ms is None else AGAIN_MS
        # A clock that was set back must not stop the rounds.
        if look.tried_ms is None or not 0 <= now_ms - look.tried_ms < pause_ms:
            await self._ask_now()
        await self._ring()

    async def _ask_now(self) -> None:
        kept = [one for one, _ in await kept_advisories(self._store)]
        found = await ask_advisories(self._runs.inventory, kept, self._ask)
        now_ms = self._clock.now_ms()
        if isinstance(found, NotAnswered):
            await self._store.note_no_advisories(found.reason[:WHY_CHARACTERS_MAX], now_ms)
            return
        part = [about(one, self._runs.inventory) for one in found.advisories]
        rows = [KeptAdvisory(one.id, kept_text(one).decode()) for one in part]
        for place in range(0, len(rows), RECORDS_AT_ONCE):
            await self._store.keep_advisories(rows[place : place + RECORDS_AT_ONCE], now_ms)
        if len(found.unreadable) > 0:
            shown = "; ".join(found.unreadable[:UNREADABLE_SHOWN])
            why = f"{len(found.unreadable)} of its advisories cannot be read: {shown}"
            await self._store.note_no_advisories(why[:WHY_CHARACTERS_MAX], now_ms)
            return
        await self._store.note_advisories([one.id for one in rows], now_ms)

    async def _ring(self) -> None:
        await self._ring_for_silence()
        advisories = [one for one, _ in await kept_advisories(self._store)]
        holes = [one for one in known_holes(advisories, self._runs.inventory, self._runs.here) if one.is_open]
        open_now: dict[str, list[AdvisoryFinding]] = {}
        for hole in holes:
            open_now.setdefault(hole.installed.title, []).append(hole)
        for title, found in open_now.items():
            step = GRAVE_STEP if any(one.severity in GRAVE for one in found) else OPEN_STEP
            self._alarms.begin(AlarmKind.VULNERABLE, title, _detail(found), step)
        for alarm in self._alarms.standing():
            if alarm.kind is AlarmKind.VULNERABLE and alarm.subject not in open_now:
                self._alarms.end(AlarmKind.VULNERABLE, alarm.subject, "no known hole is open any more")

    async def _ring_for_silence(self) -> None:
        look, now_ms = await self._store.advisory_look(), self._clock.now_ms()
        if look.failing_ms is None:
            self._alarms.end(AlarmKind.ADVISORIES_SILENT, self._service)
        elif now_ms - look.failing_ms >= SILENT_MS_MAX:
            good = "there never was a good answer"
            if look.good_ms is not None:
                good = f"the last good answer is {age_text(now_ms - look.good_ms)} old"
            self._alarms.begin(AlarmKind.ADVISORIES_SILENT, self._service, f"{look.why}; {good}")


def _detail(holes: Sequence[AdvisoryFinding]) -> str:
    named = ", ".join(
        one.title if len(one.severity) == 0 else f"{one.title} ({one.severity})" for one in holes[:NAMED_MAX]
    )
    more = f" and {len(holes) - NAMED_MAX} more" if len(holes) > NAMED_MAX else ""
    return f"version {holes[0].installed.version} has {named}{more}"
