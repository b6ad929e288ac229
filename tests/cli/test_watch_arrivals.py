"""`watch arrivals`: which networks bring mail here, and from when on it is known what is usual."""

from dataclasses import replace

import pytest

from secondpost.cli.watch_arrivals import say_arrivals
from secondpost.mail.address import Domain
from secondpost.mail.arrivals import BlockedNetwork
from secondpost.owner.arrivals import ArrivalsFound, NetworkArrivals
from secondpost.watch.blocks import USUAL_HOURS_MIN
from tests.cli.office import Office

NOT_KNOWN = "What is usual is not known until the primary has been up for 10 days; so far it was for"
HOME = Domain("example.net")
EAST = NetworkArrivals(HOME, "AS64500", None, 12, 12, None, 3, None)


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
