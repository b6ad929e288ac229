"""Rounds over a real store: what is asked of whom, what is kept, and what rings."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path

import pytest

from secondpost.mail.alarm import AlarmKind
from secondpost.mail.duration import DAY_MS, HOUR_MS
from secondpost.mail.reach import Confirmation, ReachSource, ReachTarget, ReachVerdict
from secondpost.mail.register import RegisterHit, RegisterRead, RegisterUnread
from tests.alarms import how_ended, logged_alarms
from tests.store.place import SqlitePlace

from .elsewhere import Elsewhere, Written
from .seen import EVERY_MS, TARGET
from .station import Station, another, reach_with

OK, BLOCKED = "1+ 2+ 3+", "1- 2- 3+"
SUBJECT = "192.0.2.25 from RU"
TOO_OFTEN = (429, {"retry-after": "900"}, b'{"error": {"message": "API rate limit exceeded."}}')
BROKEN: Written = (500, {}, b"<html>")

Story = Callable[[Station], Coroutine[None, None, None]]


@pytest.fixture
def lived(tmp_path: Path) -> Callable[[Story], list[str]]:
    """Runs a story, and returns the lines of the log."""

    def live(story: Story) -> list[str]:
        lines: list[str] = []

        async def lead() -> None:
            place = SqlitePlace(str(tmp_path))
            try:
                elsewhere = Elsewhere({"RU": OK, "DE": "90+ 91+"})
                station = Station(place.open("deliver"), elsewhere, logged_alarms(lines), clock=place.clock)
                await story(station)
            finally:
                await place.close()

        asyncio.run(lead())
        return lines

    return live


Lived = Callable[[Story], list[str]]


def test_a_block_rings_after_two_rounds_and_ends_after_two(lived: Lived) -> None:
    async def story(station: Station) -> None:
        begun_ms = station.clock.ms
        await station.rounds(OK, BLOCKED)
        assert station.standing() == {}
        await station.rounds(BLOCKED)
        view = await station.view()
        assert (view.verdict, view.target) == (ReachVerdict.BLOCKED, TARGET)
        assert begun_ms + EVERY_MS <= view.since_ms < begun_ms + 2 * EVERY_MS
        assert station.standing() == {
            SUBJECT: "port 25 of mx1.provider.example, the MX of example.net, cannot be reached from "
            "AS1 Net 1 and AS2 Net 2 since 2027-01-15T08:30:04Z; from DE it can"
        }
        await station.rounds(OK)
        assert SUBJECT in station.standing()
        await station.rounds(OK)
        assert station.standing() == {}
        how = how_ended(station.alarms, AlarmKind.BLOCKED_ABROAD, SUBJECT)
        assert how == (
            "none of the networks that failed does so any more; last looked at 2027-01-15T10:00:16Z"
        )

    assert [line.split()[0] for line in lived(story)] == ["alarm", "alarm-over"]


def test_the_networks_that_failed_are_asked_for_by_number(lived: Lived) -> None:
    async def story(station: Station) -> None:
        await station.rounds("1- 2- 3+", "1- 2- 3+")
        first, second = station.elsewhere.documents
        eyeballs = {"country": "RU", "tags": ["eyeball-network"]}
        control = {"country": "DE", "limit": 2}
        assert first == {
            "type": "ping",
            "target": "192.0.2.25",
            "locations": [{**eyeballs, "limit": 3}, control],
            "measurementOptions": {"protocol": "TCP", "port": 25, "packets": 3},
        }
        named = [{"country": "RU", "asn": asn, "limit": 1} for asn in (1, 2)]
        assert second["locations"] == [*named, {**eyeballs, "limit": 1}, control]

    lived(story)


def test_a_block_and_its_alarm_survive_a_restart(lived: Lived) -> None:
    async def story(station: Station) -> None:
        await station.rounds(BLOCKED, BLOCKED)
        later = replace(station, alarms=logged_alarms([], station.clock.now_ms))
        await later.rounds("")  # not one probe is there
        assert SUBJECT in later.standing()
        await later.rounds(OK, OK)
        assert later.standing() == {}

    lived(story)


def test_while_the_control_fails_nothing_rings(lived: Lived) -> None:
    async def story(station: Station) -> None:
        station.elsewhere.probes["DE"] = "90- 91-"
        await station.rounds("1- 2- 3-", "1- 2- 3-", "1- 2- 3-")
        assert (await station.view()).verdict is ReachVerdict.UNKNOWN
        assert station.standing() == {}

    lived(story)


@pytest.mark.parametrize(
    ("failing", "reason"),
    [
        ({"POST /v1": BROKEN}, "has a problem (HTTP 500)"),
        ({"GET /v1": BROKEN}, "has a problem (HTTP 500)"),
        ({"GET /v1": (200, {}, b"")}, "answered with nothing"),
        ({"GET /v1": (200, {}, b'{"status": "finished", "results": [{"pro')}, "torn or broken"),
        ({"GET /v1": (200, {}, b'{"state": "finished"}')}, "in a form that this version does not know"),
        ({"POST /v1": TOO_OFTEN}, "says that we asked too often (HTTP 429): API rate limit exceeded"),
    ],
)
def test_a_source_that_fails_changes_no_verdict_and_is_told(
    lived: Lived, failing: dict[str, tuple[int, dict[str, str], bytes]], reason: str
) -> None:
    async def story(station: Station) -> None:
        await station.rounds(BLOCKED, BLOCKED)
        station.elsewhere.failing = failing
        await station.rounds(OK, OK, OK)
        assert (await station.view()).verdict is ReachVerdict.BLOCKED
        state = (await station.store.reach_sources())[ReachSource.GLOBALPING]
        assert reason in state.failure
        assert state.failed_ms > state.answered_ms > 0
        station.elsewhere.failing = {}
        station.clock.ms += HOUR_MS
        await station.rounds(OK, OK)
        assert (await station.view()).verdict is ReachVerdict.OPEN
        assert (await station.store.reach_sources())[ReachSource.GLOBALPING].failure == ""

    lived(story)


def test_a_measurement_that_never_ends_is_given_up(lived: Lived) -> None:
    async def story(station: Station) -> None:
        station.elsewhere.looks_until_finished = 1_000
        await station.rounds(OK)
        state = (await station.store.reach_sources())[ReachSource.GLOBALPING]
        assert state.failure == "did not finish a measurement in time"
        assert len(station.elsewhere.asked) == 26

    lived(story)


def test_no_more_is_asked_than_the_quota_allows_also_after_a_restart(lived: Lived) -> None:
    """A measurement from 16 countries costs 50 tests; 200 are allowed in an hour."""

    async def story(station: Station) -> None:
        station.elsewhere.looks_until_finished = 1
        station.reach = reach_with(countries=("RU", *(f"A{letter}" for letter in "ABCDEFGHIJKLMNO")))
        station.with_targets(*(another(f"192.0.2.{number}") for number in range(1, 4)))
        await station.rounds(OK)
        await replace(station).rounds(OK)
        asked = [document["target"] for document in station.elsewhere.documents]
        assert asked == ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.1"]
        station.clock.ms += HOUR_MS
        await station.rounds(OK)
        # Those that were looked at longest ago are first.
        asked = [document["target"] for document in station.elsewhere.documents]
        assert asked[4:] == ["192.0.2.2", "192.0.2.3", "192.0.2.1"]

    lived(story)


def test_what_the_service_says_of_our_quota_is_heeded(lived: Lived) -> None:
    async def story(station: Station) -> None:
        station.elsewhere.headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "3000"}
        await station.rounds(OK)
        assert (await station.view()).looked_ms > 0  # the result itself is asked for
        station.elsewhere.headers = {}
        await station.rounds(OK)
        assert len(station.elsewhere.documents) == 1
        await station.rounds(OK)
        assert len(station.elsewhere.documents) == 2

    lived(story)


def test_answers_are_kept_as_they_came(lived: Lived) -> None:
    async def story(station: Station) -> None:
        station.elsewhere.failing = {"POST /v1": BROKEN}
        await station.rounds(OK)
        station.elsewhere.failing = {}
        await station.rounds(OK)
        kept = await station.store.raw_answers(10)
        assert [(one.number, one.asked, one.status) for one in kept] == [
            (3, "GET /v1/measurements/measurement-0", 200),
            (2, "POST /v1/measurements", 202),
            (1, "POST /v1/measurements", 500),
        ]
        raw = await station.store.raw_answer(3)
        assert raw is not None
        assert json.loads(raw.body)["status"] == "finished"

    lived(story)


def test_an_address_that_is_no_mx_any_more_is_forgotten_and_its_alarm_ends(lived: Lived) -> None:
    async def story(station: Station) -> None:
        station.with_targets(TARGET, another("192.0.2.26"))
        await station.rounds(BLOCKED, BLOCKED)
        assert len(station.standing()) == 2
        station.with_targets(another("192.0.2.26"), is_whole=False)  # DNS answered in part
        await station.rounds(BLOCKED)
        assert len(station.standing()) == 2
        station.with_targets(another("192.0.2.26"))
        await station.rounds(BLOCKED)
        assert set(station.standing()) == {"192.0.2.26 from RU"}
        how = how_ended(station.alarms, AlarmKind.BLOCKED_ABROAD, SUBJECT)
        assert how == "it is not watched any more"

    lived(story)


def test_each_country_is_judged_by_itself(lived: Lived) -> None:
    async def story(station: Station) -> None:
        station.reach = reach_with(countries=("RU", "BY"))
        station.elsewhere.probes["BY"] = "11+ 12+"
        await station.rounds(BLOCKED, BLOCKED)
        assert {view.country: view.verdict for view in await station.store.reach_views()} == {
            "BY": ReachVerdict.OPEN,
            "RU": ReachVerdict.BLOCKED,
        }

    lived(story)


# -- RIPE Atlas


@pytest.mark.parametrize(
    ("atlas", "said", "rings", "words"),
    [
        ({"RU": "1- 2- 9+", "DE": "90+"}, Confirmation.CONFIRMED, True, "RIPE Atlas confirms it"),
        ({"RU": "1+ 2+ 9+", "DE": "90+"}, Confirmation.CONTRADICTED, False, ""),
        ({"RU": "9+ 8+", "DE": "90+"}, Confirmation.NO_ANSWER, True, "RIPE Atlas could not say"),
        ({}, Confirmation.NO_ANSWER, True, "RIPE Atlas could not say"),
    ],
)
def test_a_block_is_confirmed_by_other_probes(
    lived: Lived, atlas: dict[str, str], said: Confirmation, rings: bool, words: str
) -> None:
    async def story(station: Station) -> None:
        station.reach = reach_with(ReachSource.ATLAS)
        station.elsewhere.atlas = atlas
        await station.rounds(BLOCKED)
        assert not any("/api/v2/" in asked for asked in station.elsewhere.asked)
        await station.rounds(BLOCKED)
        assert (await station.view()).confirmation is said
        assert list(station.standing()) == ([SUBJECT] if rings else [])
        assert words in station.standing().get(SUBJECT, "")
        posted = [one for one in station.elsewhere.documents if "definitions" in one]
        assert len(posted) == 1
        assert posted[0]["probes"] == [
            {"type": "asn", "value": 1, "requested": 2},
            {"type": "asn", "value": 2, "requested": 2},
            {"type": "country", "value": "RU", "requested": 4},
            {"type": "country", "value": "DE", "requested": 3},
        ]
        definition = posted[0]["definitions"][0]
        assert (definition["protocol"], definition["port"], definition["af"]) == ("TCP", 25, 4)

    lived(story)


def test_atlas_is_asked_again_after_hours_and_not_each_round(lived: Lived) -> None:
    async def story(station: Station) -> None:
        station.reach = reach_with(ReachSource.ATLAS)
        station.elsewhere.atlas = {"RU": "1+ 2+", "DE": "90+"}
        await station.rounds(BLOCKED, BLOCKED, BLOCKED, BLOCKED)
        assert station.standing() == {}
        station.elsewhere.atlas = {"RU": "1- 2-", "DE": "90+"}
        station.clock.ms += 5 * HOUR_MS
        await station.rounds(BLOCKED)
        assert list(station.standing()) == [SUBJECT]
        assert sum("definitions" in one for one in station.elsewhere.documents) == 2

    lived(story)


@pytest.mark.parametrize(
    "failing", ["POST /api/v2/measurements", "GET /api/v2/measurements", "GET /api/v2/probes"]
)
def test_an_atlas_that_fails_holds_up_no_alarm(lived: Lived, failing: str) -> None:
    async def story(station: Station) -> None:
        station.reach = reach_with(ReachSource.ATLAS)
        station.elsewhere.atlas = {"RU": "1+ 2+", "DE": "90+"}
        station.elsewhere.failing = {failing: (403, {}, b'{"error": {"detail": "The provided API key"}}')}
        await station.rounds(BLOCKED, BLOCKED)
        assert list(station.standing()) == [SUBJECT]
        failure = (await station.store.reach_sources())[ReachSource.ATLAS].failure
        assert failure == "refuses us, or our key (HTTP 403): The provided API key"

    lived(story)


# -- the register and OONI


def test_the_register_is_searched_once_a_day_and_explains_a_block(lived: Lived) -> None:
    hit = RegisterHit("192.0.2.25", "192.0.2.0/24", "Роскомнадзор", "27-31", "2029-01-05")

    async def story(station: Station) -> None:
        station.reach = reach_with(ReachSource.REGISTER)
        station.register = RegisterRead("2029-01-05 09:00", 20, 1_234_567, (hit,))
        await station.rounds(BLOCKED, BLOCKED)
        (asked,) = station.searched
        assert (asked.addresses, asked.names) == (("192.0.2.25",), ("mx1.provider.example", "example.net"))
        detail = station.standing()[SUBJECT]
        assert detail.endswith("the register has 192.0.2.25: 192.0.2.0/24 (Роскомнадзор, 27-31, 2029-01-05)")
        state = (await station.store.reach_sources())[ReachSource.REGISTER]
        assert state.found == "of 2029-01-05 09:00, 20 files, 1,234,567 lines"
        station.clock.ms += DAY_MS
        station.register = RegisterRead("2029-01-06 09:00", 20, 1_234_567)
        await station.rounds(BLOCKED)
        assert len(station.searched) == 2
        assert "register" not in station.standing()[SUBJECT]

    lived(story)


def test_a_register_that_cannot_be_read_is_tried_a_few_times_a_day_and_keeps_what_was_known(
    lived: Lived,
) -> None:
    hit = RegisterHit("192.0.2.25", "192.0.2.25", "ФНС", "1", "2029-01-05")

    async def story(station: Station) -> None:
        station.reach = reach_with(ReachSource.REGISTER)
        station.register = RegisterRead("2029-01-05 09:00", 20, 1_000, (hit,))
        await station.rounds(BLOCKED, BLOCKED)
        station.clock.ms += DAY_MS
        station.register = RegisterUnread("has a form that this version does not know: no date")
        await station.rounds(*[BLOCKED] * 20)
        assert len(station.searched) == 1 + 4
        assert "the register has 192.0.2.25" in station.standing()[SUBJECT]
        state = (await station.store.reach_sources())[ReachSource.REGISTER]
        assert state.failure.startswith("has a form that")
        assert state.found.startswith("of 2029-01-05")

    lived(story)


def test_ooni_is_asked_of_what_is_blocked_alone_and_once_a_day(lived: Lived) -> None:
    async def story(station: Station) -> None:
        station.reach = reach_with(ReachSource.OONI)
        await station.rounds(OK, BLOCKED, BLOCKED, BLOCKED)
        (asked,) = [one for one in station.elsewhere.asked if "aggregation" in one]
        assert asked == (
            "GET /api/v1/aggregation?domain=192.0.2.25,mx1.provider.example&probe_cc=RU"
            "&since=2027-01-08&until=2027-01-16&format=JSON"
        )
        assert "OONI on 192.0.2.25: 1 web tests in 7 days: 1 fine" in station.standing()[SUBJECT]
        station.elsewhere.failing = {"GET /api/v1/aggregation": BROKEN}
        station.clock.ms += DAY_MS
        await station.rounds(BLOCKED)
        assert "OONI on 192.0.2.25" in station.standing()[SUBJECT]

    lived(story)


def test_sources_that_are_not_configured_are_not_asked(lived: Lived) -> None:
    async def story(station: Station) -> None:
        await station.rounds(BLOCKED, BLOCKED)
        assert station.searched == []
        assert all("/v1/measurements" in asked for asked in station.elsewhere.asked)

    lived(story)


def test_our_own_address_is_named_as_this_server(lived: Lived) -> None:
    async def story(station: Station) -> None:
        station.with_targets(ReachTarget("192.0.2.25", "mx2.example.net", ()))
        await station.rounds(BLOCKED, BLOCKED)
        assert station.standing()[SUBJECT].startswith("port 25 of mx2.example.net, this server, cannot")

    lived(story)
