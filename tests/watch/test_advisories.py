"""The daily round: what is asked and kept, what rings and what ends it, and what a service can do wrong."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from secondpost.mail.alarm import AlarmKind
from secondpost.mail.duration import DAY_MS, HOUR_MS
from secondpost.protocols.osv.circumstances import Circumstance
from secondpost.protocols.osv.judging import PYPI, UPSTREAM, Installed
from secondpost.protocols.osv.questions import PAGES_MAX, AdvisoriesFound, about
from secondpost.protocols.service_questions import ServiceAnswer, ServiceRequest, ServiceResult
from secondpost.store.advisory_ports import AdvisoryLook, KeptAdvisory
from secondpost.watch.advisories import (
    ATTEMPTS,
    PAUSE_SECONDS_MAX,
    SILENT_MS_MAX,
    AdvisoryRounds,
    NotAnswered,
    WhatRuns,
    ask_advisories,
)
from simulation.clock import Timeline
from simulation.clock import run as run_simulated
from tests.alarms import logged_alarms
from tests.clock import START_MS
from tests.store.place import SqlitePlace
from tests.watch.osv import Misbehaviour, Osv, answering, instead, silent

POSTFIX = Installed("Postfix", "Debian:12", "postfix", "3.7.6-0+deb12u2")
MENDED = replace(POSTFIX, version="3.7.9-0+deb12u1")
STARLETTE = Installed("starlette", PYPI, "starlette", "0.24.0")
IDNA = Installed("idna", PYPI, "idna", "3.6")
OPENSSL = Installed("OpenSSL", UPSTREAM, "github.com/openssl/openssl", "3.0.6")
FEDORA = Installed("Postfix", "Fedora:39", "postfix", "2:3.8.1-5.fc39")
INVENTORY = (POSTFIX, STARLETTE, IDNA, OPENSSL)


Answered = AdvisoriesFound | NotAnswered


def asked(osv: Osv, inventory: tuple[Installed, ...] = INVENTORY) -> tuple[Answered, float]:
    """What is found, and how many seconds it took."""
    timeline = Timeline()

    async def story() -> Answered:
        return await ask_advisories(inventory, (), osv.ask)

    found = run_simulated(story(), timeline, timeline.loop("deliver"))
    return found, timeline.now


def found_by(osv: Osv, inventory: tuple[Installed, ...] = INVENTORY) -> AdvisoriesFound:
    found, _ = asked(osv, inventory)
    assert isinstance(found, AdvisoriesFound)
    return found


def ids(found: AdvisoriesFound) -> list[str]:
    return [one.id for one in found.advisories]


IDS = [
    "CVE-2022-3602",
    "CVE-2024-6119",
    "DEBIAN-CVE-2023-51764",
    "GHSA-jjg7-2v4v-x38h",
    "PYSEC-2023-48",
    "PYSEC-2023-83",
]


def test_all_that_runs_is_asked_in_one_batch_and_each_advisory_once() -> None:
    osv = Osv()
    assert ids(found_by(osv)) == IDS
    assert osv.paths() == ["/v1/querybatch", *(f"/v1/vulns/{id}" for id in IDS)]
    openssl = {
        "package": {"name": "https://github.com/openssl/openssl.git", "ecosystem": "GIT"},
        "version": "3.0.6",
    }
    assert json.loads(osv.asked[0].body or b"")["queries"][3] == openssl


def test_an_answer_of_several_pages_is_read_to_its_end() -> None:
    osv = Osv(page=1)
    assert ids(found_by(osv)) == IDS
    assert osv.paths().count("/v1/querybatch") == 3  # two for OpenSSL's second hole and starlette's


def test_an_answer_without_end_is_none() -> None:
    body = b'{"results": [{"vulns": [], "next_page_token": "0"}]}'
    found, _ = asked(Osv(misbehaves=instead(body)), (IDNA,))
    assert found == NotAnswered(f"the answer does not end: 0 advisories, {PAGES_MAX + 1} pages")


def test_what_is_known_and_did_not_change_is_not_asked_again() -> None:
    kept = found_by(Osv()).advisories

    async def story() -> Answered:
        return await ask_advisories(INVENTORY, kept, osv.ask)

    osv = Osv()
    assert asyncio.run(story()) == AdvisoriesFound(kept, (), ())
    assert osv.paths() == ["/v1/querybatch"]


def test_what_was_kept_for_another_release_is_asked_again() -> None:
    ids_of_exim = ("DEBIAN-CVE-2019-16928",)
    old, new = (Installed("Exim", f"Debian:{release}", "exim4", "4.92.2-2") for release in (11, 12))
    [whole] = found_by(Osv(ids_of_exim), (old,)).advisories
    assert len(whole.affected) == 2

    async def story(inventory: tuple[Installed, ...]) -> Answered:
        return await ask_advisories(inventory, [about(whole, [old])], osv.ask)

    for inventory, asked_again in (((old,), False), ((new,), True), ((old, new), True)):
        osv = Osv(ids_of_exim)
        found = asyncio.run(story(inventory))
        assert isinstance(found, AdvisoriesFound)
        assert ids(found) == list(ids_of_exim)
        assert (len(osv.asked) == 2) is asked_again


def test_a_kind_that_the_service_does_not_know_spoils_no_other() -> None:
    found = found_by(Osv(unknown=frozenset({"GIT"})), (*INVENTORY, FEDORA))
    assert ids(found) == IDS[2:]
    assert found.unasked == (FEDORA, OPENSSL)


def test_one_that_was_taken_back_since_is_left_out() -> None:
    def misbehaves(request: ServiceRequest, answer: ServiceResult) -> ServiceResult:
        return ServiceAnswer(404) if request.path.endswith("CVE-2022-3602") else answer

    assert ids(found_by(Osv(misbehaves=misbehaves))) == IDS[1:]


def test_a_busy_service_is_asked_again_when_it_says() -> None:
    tries: list[ServiceRequest] = []

    def misbehaves(request: ServiceRequest, answer: ServiceResult) -> ServiceResult:
        tries.append(request)
        return ServiceAnswer(429, {"retry-after": "30"}) if len(tries) == 1 else answer

    found, seconds = asked(Osv(misbehaves=misbehaves))
    assert isinstance(found, AdvisoriesFound)
    assert seconds == pytest.approx(30)


@pytest.mark.parametrize(
    ("misbehaves", "reason", "questions", "seconds"),
    [
        (silent, "cannot connect to api.osv.dev port 443: no route to host", ATTEMPTS, 14),
        (answering(503), "it answers 503", ATTEMPTS, 14),
        (answering(429, retry_after="5"), "it answers 429", ATTEMPTS, 18),
        (answering(429, retry_after=str(int(PAUSE_SECONDS_MAX) + 1)), "it answers 429", 1, 0),
        (answering(429, retry_after="soon"), "it answers 429", ATTEMPTS, 14),
        (answering(302), "it answers 302", 1, 0),
        (answering(403), "it answers 403", 1, 0),
        (
            instead(b'{"results": [{"vul'),
            "the answer is not in the form of OSV: Input data",
            1,
            0,
        ),
        (instead(b"<html>"), "the answer is not in the form of OSV: JSON is malformed", 1, 0),
        (instead(b'{"vulns": []}'), "the answer is not in the form of OSV: Object missing", 1, 0),
        (instead(b'{"results": []}'), "the answer has 0 results to 4 queries", 1, 0),
        (
            instead(b'{"results": [{}, {}, {}, {"vulns": [{"id": "../../etc"}]}]}'),
            "'../../etc' is no identifier of an advisory",
            1,
            0,
        ),
    ],
)
def test_what_is_no_answer_is_said_in_a_sentence(
    misbehaves: Misbehaviour, reason: str, questions: int, seconds: float
) -> None:
    osv = Osv(misbehaves=misbehaves)
    found, took = asked(osv)
    assert isinstance(found, NotAnswered)
    assert found.reason.startswith(reason)
    assert len(osv.asked) == questions
    assert took == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("body", "why"),
    [(b"{", "truncated"), (b'{"id": "CVE-1", "modified": ""}', "it is about"), (b"[]", "Expected")],
)
def test_an_advisory_that_cannot_be_read_hides_no_other(body: bytes, why: str) -> None:
    found = found_by(Osv(misbehaves=instead(body, "/v1/vulns/CVE-2022-3602")))
    assert ids(found) == IDS[1:]
    [sentence] = found.unreadable
    assert sentence.startswith("CVE-2022-3602: ")
    assert why.removeprefix("it ") in sentence


# -- the round, and its alarms
@dataclass
class Days:
    """A store, and the rounds of one service."""

    place: SqlitePlace
    osv: Osv = field(default_factory=Osv)
    lines: list[str] = field(default_factory=list)

    def start(self, *inventory: Installed, allows_bare_newlines: bool = True) -> None:
        """A deliver role starts with what is installed now."""
        here = {Circumstance.POSTFIX_BARE_NEWLINES: allows_bare_newlines}
        clock, runs = self.place.clock, WhatRuns(inventory, here)
        self.alarms = logged_alarms(self.lines, clock.now_ms)
        self.store = self.place.open()
        self.rounds = AdvisoryRounds(self.store, clock, self.alarms, self.osv.ask, runs, "api.osv.dev")

    async def look(self, later_ms: int = 0) -> list[tuple[AlarmKind, str]]:
        """What stands after a look so much later."""
        self.place.clock.ms += later_ms
        await self.rounds.look()
        return [(alarm.kind, alarm.subject) for alarm in self.alarms.standing()]


def played(folder: Path, story: Callable[[Days], Awaitable[None]]) -> Days:
    place = SqlitePlace(str(folder))
    days = Days(place)

    async def whole() -> None:
        try:
            await story(days)
        finally:
            await place.close()

    asyncio.run(whole())
    return days


POSTFIX_RINGS, IDNA_RINGS = (AlarmKind.VULNERABLE, "Postfix"), (AlarmKind.VULNERABLE, "idna")
SILENCE_RINGS = (AlarmKind.ADVISORIES_SILENT, "api.osv.dev")
REFUSING = answering(403)  # it is not asked again in the same round


def test_a_hole_rings_until_what_was_upgraded_runs(tmp_path: Path) -> None:
    async def story(days: Days) -> None:
        days.start(POSTFIX, IDNA)
        assert await days.look() == [POSTFIX_RINGS, IDNA_RINGS]
        days.start(MENDED, IDNA)
        assert await days.look() == [POSTFIX_RINGS, IDNA_RINGS]  # the fix has to be switched on
        days.start(MENDED, replace(IDNA, version="3.7"), allows_bare_newlines=False)
        assert await days.look() == []

    lines = played(tmp_path, story).lines
    assert [line.split()[1] for line in lines] == ["about=vulnerable"] * 4
    assert "Postfix: version 3.7.6-0+deb12u2 has CVE-2023-51764 (medium)" in lines[0]


def test_a_hole_that_is_no_longer_known_ends(tmp_path: Path) -> None:
    async def story(days: Days) -> None:
        days.start(POSTFIX, IDNA)
        await days.look()
        days.osv.ids = tuple(id for id in days.osv.ids if id != "GHSA-jjg7-2v4v-x38h")
        assert await days.look(DAY_MS) == [POSTFIX_RINGS]

    assert [line for line in played(tmp_path, story).lines if line.startswith("alarm-over")] == [
        'alarm-over about=vulnerable detail="idna: no known hole is open any more"'
    ]


def test_a_further_hole_that_is_grave_rings_again(tmp_path: Path) -> None:
    async def story(days: Days) -> None:
        exim = Installed("Exim", "Debian:12", "exim4", "4.96-15+deb12u4")
        days.osv.ids = ("DEBIAN-CVE-2024-39929",)
        days.start(exim)
        await days.look()
        days.osv.ids += ("DEBIAN-CVE-2026-40685",)
        await days.look(DAY_MS)

    lines = played(tmp_path, story).lines
    assert [line.partition(" has ")[2].rstrip('"') for line in lines] == [
        "CVE-2024-39929 (medium)",
        "CVE-2024-39929 (medium), CVE-2026-40685 (critical)",
    ]


def test_what_does_not_apply_or_is_not_known_to_does_not_ring(tmp_path: Path) -> None:
    async def story(days: Days) -> None:
        exim = Installed("Exim", "Debian:12", "exim4", "4.96-15")
        days.osv.ids = ("DEBIAN-CVE-2023-42115", "PYSEC-2023-48", "DEBIAN-CVE-2023-51764")
        days.start(exim, STARLETTE, POSTFIX, allows_bare_newlines=False)
        assert await days.look() == []
        assert len(await days.store.advisories()) == 3

    played(tmp_path, story)


def test_the_service_is_asked_once_a_day_and_after_no_answer_every_hour(tmp_path: Path) -> None:
    async def story(days: Days) -> None:
        days.start(IDNA)
        for later_ms, questions in ((0, 2), (HOUR_MS, 2), (DAY_MS - HOUR_MS - 1, 2), (1, 3)):
            await days.look(later_ms)
            assert len(days.osv.asked) == questions
        days.osv.misbehaves = REFUSING
        for later_ms, questions in ((DAY_MS, 4), (HOUR_MS - 1, 4), (1, 5)):
            await days.look(later_ms)
            assert len(days.osv.asked) == questions
        days.place.clock.ms -= 10 * DAY_MS
        await days.look()
        assert len(days.osv.asked) == 6  # a clock that was set back

    played(tmp_path, story)


def test_silence_rings_after_days_and_what_was_answered_stays(tmp_path: Path) -> None:
    async def story(days: Days) -> None:
        days.start(IDNA)
        await days.look()
        days.osv.misbehaves = REFUSING
        assert await days.look(DAY_MS) == [IDNA_RINGS]
        days.start(IDNA)  # a role that starts needs no answer
        assert await days.look(SILENT_MS_MAX - 1) == [IDNA_RINGS]
        assert sorted(await days.look(1), key=str) == sorted([IDNA_RINGS, SILENCE_RINGS], key=str)
        now_ms = days.place.clock.ms
        look = await days.store.advisory_look()
        assert look == AdvisoryLook(now_ms - 1, now_ms - 4 * DAY_MS, now_ms - 3 * DAY_MS, "it answers 403")
        days.osv.misbehaves = None
        assert await days.look(HOUR_MS) == [IDNA_RINGS]

    lines = played(tmp_path, story).lines
    rung = [line for line in lines if "advisories-silent" in line]
    assert rung[0].startswith("alarm ")
    assert "api.osv.dev: it answers 403; the last good answer is 4 d old" in rung[0]
    assert [line.split()[0] for line in rung] == ["alarm", "alarm-over"]


def test_an_advisory_that_cannot_be_read_is_no_good_answer(tmp_path: Path) -> None:
    async def story(days: Days) -> None:
        days.start(POSTFIX, IDNA)
        days.osv.misbehaves = instead(b"{}", "/v1/vulns/GHSA")
        assert await days.look() == [POSTFIX_RINGS]
        look = await days.store.advisory_look()
        assert look.good_ms is None
        assert look.why.startswith("1 of its advisories cannot be read: GHSA-jjg7-2v4v-x38h: it is not")

    played(tmp_path, story)


def test_what_another_version_kept_is_left_out(tmp_path: Path) -> None:
    async def story(days: Days) -> None:
        days.start(IDNA)
        await days.look()
        await days.store.keep_advisories([KeptAdvisory("A-1", '{"form": "another"}')], START_MS)
        assert await days.look() == [IDNA_RINGS]

    played(tmp_path, story)
