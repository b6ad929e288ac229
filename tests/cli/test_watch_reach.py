"""secondpost watch reach: the table, the document, the answers, and what it says while it is off."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from secondpost.mail.duration import HOUR_MS, MINUTE_MS
from secondpost.mail.reach import ReachSource
from secondpost.mail.register import RegisterHit, RegisterRead
from secondpost.store.sqlite import SqliteStore
from secondpost.world.real.clock import RealClock
from tests.alarms import unlogged_alarms
from tests.cli.office import Office
from tests.cli.test_alarms import at_store
from tests.clock import SetClock
from tests.watch.reach.elsewhere import Elsewhere
from tests.watch.reach.seen import EVERY_MS
from tests.watch.reach.station import Station, another, reach_with

ON = """
[reach]
countries = ["RU"]
sources = ["globalping", "z-i"]
"""
TABLE = """\
Asked from RU every 30 minutes, with DE as the control. Last round … ago.

address     host                  from  verdict                            passes  fails  unknown  rounds with failures  networks that fail
192.0.2.25  mx1.provider.example  RU    blocked since YYYY-MM-DD hh:mm:ss       1      2        0  3 of 4                AS1 Net 1, AS2 Net 2
192.0.2.26  mx2.provider.example  RU    open                                    3      0        0  0 of 4
192.0.2.25  mx1.provider.example  DE    control                                 2      0        0
192.0.2.26  mx2.provider.example  DE    control                                 2      0        0

BLOCKED: port 25 of mx1.provider.example, the MX of example.net, cannot be reached from AS1 Net 1
and AS2 Net 2 since YYYY-MM-DDThh:mm:ssZ; from DE it can

NOTE: the register has 192.0.2.26: 192.0.2.0/24 (RKN, 27-31, 2029-01-05)

Globalping: answered … ago; 20 tests of 200 used in 1 hour.
The register copy z-i: answered … ago (of 2029-01-05, 20 files, 1,000 lines); 1 reading of 4 used in 1 day.
16 answers are kept: `secondpost watch reach --raw 16` prints the latest.
"""  # noqa: E501  the screen as it is printed, line by line


@pytest.fixture
def on(office: Office) -> Office:
    office.config.write_text(office.config.read_text() + ON)
    return office


def note(office: Office) -> None:
    """Four rounds, of which the last ended some minutes ago: one address becomes blocked."""
    now_ms = RealClock().now_ms()
    clock = SetClock(now_ms - 3 * EVERY_MS - 5 * MINUTE_MS)
    elsewhere = Elsewhere({"192.0.2.26 RU": "1+ 2+ 3+", "DE": "90+ 91+"}, looks_until_finished=1)

    async def story(store: SqliteStore) -> None:
        reach = reach_with(ReachSource.REGISTER)
        station = Station(store, elsewhere, unlogged_alarms(), reach, clock)
        station.register = RegisterRead(
            "2029-01-05",
            20,
            1_000,
            (RegisterHit("192.0.2.26", "192.0.2.0/24", "RKN", "27-31", "2029-01-05"),),
        )
        station.with_targets(*station.targets.targets, another("192.0.2.26"))
        for number, found in enumerate(("1+ 2+ 3+", *["1- 2- 3+"] * 3)):
            clock.ms = now_ms - (3 - number) * EVERY_MS - 5 * MINUTE_MS
            await station.rounds(found)

    at_store(office, story)


def plain(text: str) -> str:
    """Without the times that this machine's clock and zone have."""
    dated = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "YYYY-MM-DD hh:mm:ss", text)
    dated = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "YYYY-MM-DDThh:mm:ssZ", dated)
    return re.sub(r"(\d+ (h|min|s) ?)+ago", "… ago", dated)


def test_it_says_that_it_is_off_what_it_would_reveal_and_what_to_write(office: Office) -> None:
    output = office.run("watch", "reach").output
    assert output.startswith("It is off: no one is asked")
    sentences = " ".join(output.split())
    assert "Globalping would learn the addresses of this server and of all your MX hosts" in sentences
    assert f"write into {office.config}:" in sentences
    lines = output.partition("  [reach]")[2].partition("\n\n")[0]
    office.config.write_text(office.config.read_text() + f"[reach]{lines}\n")
    assert "No round was made yet" in office.run("watch", "reach").output


def test_off_makes_no_round_and_its_document_says_so(office: Office) -> None:
    assert "no round is made: it is off" in office.run("watch", "reach", "--now", code=1).output
    document = json.loads(office.run("watch", "reach", "--json").output)
    assert (document["on"], document["countries"], document["views"]) == (False, [], [])


def test_what_each_network_sees_is_a_table(on: Office) -> None:
    note(on)
    assert plain(on.run("watch", "reach").output) == TABLE
    assert "1 of 1" in on.run("watch", "reach", "--since", "20 minutes").output


def test_the_document_of_reach(on: Office) -> None:
    note(on)
    document: dict[str, Any] = json.loads(on.run("watch", "reach", "--json").output)
    blocked, fine = document["views"]
    assert (blocked["verdict"], blocked["alarm"], blocked["confirmation"]) == ("blocked", True, "not asked")
    assert [(one["asn"], one["failed"], one["blocked"]) for one in blocked["networks"]] == [
        (1, 3, True),
        (2, 3, True),
        (3, 0, False),
    ]
    assert fine["context"] == ["the register has 192.0.2.26: 192.0.2.0/24 (RKN, 27-31, 2029-01-05)"]
    assert len(document["rounds"]) == 4 * 2 * 2
    globalping, register = document["sources"]
    assert (globalping["used"], globalping["quota"], globalping["window_seconds"]) == (20, 200, 3600)
    assert register["found"] == "of 2029-01-05, 20 files, 1,000 lines"
    assert [one["number"] for one in document["answers"]] == list(range(16, 0, -1))


def test_an_answer_is_printed_as_it_came(on: Office) -> None:
    note(on)
    printed = on.run("watch", "reach", "--raw", "2")
    assert json.loads(printed.stdout)["status"] == "finished"
    assert "GET /v1/measurements/measurement-0 of Globalping at " in printed.stderr
    missing = on.run("watch", "reach", "--raw", "99", code=1)
    assert "no answer 99 is kept; `secondpost watch reach --json` lists" in missing.stderr


def test_a_source_that_failed_and_one_that_rests_say_so(on: Office) -> None:
    clock = SetClock(RealClock().now_ms() - 3 * MINUTE_MS)
    too_often = (429, {"retry-after": "7200"}, b'{"error": {"message": "API rate limit exceeded."}}')
    elsewhere = Elsewhere({"DE": "90+"}, failing={"POST /v1": too_often})

    async def story(store: SqliteStore) -> None:
        await Station(store, elsewhere, unlogged_alarms(), clock=clock).rounds("1+")

    at_store(on, story)
    assert (
        "Globalping: has not answered yet; … ago it says that we asked too often (HTTP 429): "
        "API rate limit exceeded; not asked before YYYY-MM-DD hh:mm:ss; 5 tests of 200 used in 1 hour.\n"
    ) in plain(on.run("watch", "reach").output)


def test_an_old_window_of_a_quota_is_over(on: Office) -> None:
    clock = SetClock(RealClock().now_ms() - 2 * HOUR_MS)

    async def story(store: SqliteStore) -> None:
        station = Station(store, Elsewhere({"DE": "90+"}), unlogged_alarms(), clock=clock)
        await replace(station).rounds("1+")

    at_store(on, story)
    assert "0 tests of 200 used in 1 hour" in on.run("watch", "reach").output
