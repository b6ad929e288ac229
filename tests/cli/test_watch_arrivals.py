"""`watch arrivals` and the line in `status`: which networks bring mail here, and from when on it is known
what is usual.
"""

import re
from dataclasses import replace

import pytest

from secondpost.cli.watch_arrivals import say_arrivals
from secondpost.mail.address import Domain
from secondpost.mail.arrivals import BlockedNetwork, CameFrom, NetworkOrigin, PrimaryHour
from secondpost.mail.duration import HOUR_MS
from secondpost.mail.queue_id import QueueId
from secondpost.owner.arrivals import ArrivalsFound, NetworkArrivals
from secondpost.store.sqlite import SqliteStore
from secondpost.watch.blocks import USUAL_HOURS_MIN
from secondpost.world.real.clock import RealClock
from tests.cli.office import Office
from tests.cli.test_alarms import at_store

NOT_KNOWN = "What is usual is not known until the primary has been up for 10 days; so far it was for"
HOME = Domain("example.net")
EAST = NetworkArrivals(HOME, "AS64500", None, 12, 12, None, 3, None)

EAST_PREFIX, WEST_PREFIX = "192.0.2.0/24", "198.51.100.0/24"
TABLE = """\
domain       network                    good today  in 7 days  usual  other  verdict
example.net  AS64500 EAST-TELECOM (RU)           0          0    0.0      0  BLOCKED since YYYY-MM-DD hh:mm:ss: 1,234 messages of 3 domains
example.net  198.51.100.0/24                     0          0    0.0      2
"""  # noqa: E501  the screen as it is printed, line by line


def test_an_empty_store_says_that_nothing_came(office: Office) -> None:
    assert office.run("watch", "arrivals").output == (
        f"No mail for a backup domain came here in the last 7 days.\n{NOT_KNOWN} 0 hours.\n"
    )


def test_a_question_mark_is_explained_for_as_long_as_there_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    say_arrivals(ArrivalsFound(100, [EAST]))
    assert f"{NOT_KNOWN} 100 hours." in capsys.readouterr().out
    say_arrivals(ArrivalsFound(USUAL_HOURS_MIN, [replace(EAST, usual_week=0.5)]))
    assert NOT_KNOWN not in capsys.readouterr().out


def test_a_blocked_network_says_how_many_messages_of_whom_show_it(capsys: pytest.CaptureFixture[str]) -> None:
    blocked = BlockedNetwork(HOME, "AS64500", 0, 0, 0, good=12, authors=2)
    say_arrivals(ArrivalsFound(USUAL_HOURS_MIN, [replace(EAST, usual_week=0.5, blocked=blocked)]))
    assert ": 12 messages of 2 domains" in capsys.readouterr().out


def note(office: Office, ended: bool = False) -> None:
    """A block of one network that began five hours ago, and two other messages of another."""
    now_ms = RealClock().now_ms()
    now_ms -= now_ms % HOUR_MS

    async def story(store: SqliteStore) -> None:
        ups = [PrimaryHour(HOME, now_ms - ago * HOUR_MS, is_up=True) for ago in range(300)]
        await store.note_primaries(ups)
        await store.learn_origins({EAST_PREFIX: NetworkOrigin(64500, "EAST-TELECOM", "RU")}, now_ms)
        since_ms, found_ms = now_ms - 5 * HOUR_MS, now_ms - HOUR_MS
        ended_ms = now_ms if ended else None
        await store.keep_blocked(
            [BlockedNetwork(HOME, "AS64500", since_ms, found_ms, found_ms, 1234, 3, ended_ms)]
        )
        await store.note_arrivals(
            [CameFrom(QueueId(number), HOME, now_ms, now_ms, WEST_PREFIX, "") for number in (1, 2)]
        )

    at_store(office, story)


def shown(office: Office, *words: str) -> str:
    """Without the times that this machine's clock and zone have."""
    output = office.run(*words).output
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "YYYY-MM-DD hh:mm:ss", output)


def test_a_blocked_network_stands_first_with_its_name_and_country(office: Office) -> None:
    note(office)
    assert shown(office, "watch", "arrivals") == TABLE


def test_status_says_in_one_line_which_networks_are_blocked(office: Office) -> None:
    line = (
        "BLOCKED: 1 network cannot reach the primary of example.net: AS64500 EAST-TELECOM (RU); "
        "`secondpost watch arrivals` has the figures."
    )
    note(office)
    assert line in " ".join(office.run("status").output.split())
    note(office, ended=True)
    assert "BLOCKED" not in office.run("status").output
