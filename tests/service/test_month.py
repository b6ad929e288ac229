"""The page on a first month is true: its commands, typed into a running service, print what it shows,
and each reader gets each issue once.

`python -m tests.service.test_month` plays the month and writes the outputs into the page.
"""

import tempfile
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from tests.against.t09_newcomer.console import Typed, mails_of, script_of, with_outputs
from tests.service.month import (
    ACTIVE,
    COMPLAINS,
    FORGIVEN,
    GONE,
    REPORTED,
    Month,
    Played,
    page_of,
    readers_of,
    same,
)
from tests.service.month_town import opened

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "first-month.md"
FIRST: Final = "What the logs said · A post office of my own"
LETTER: Final = "Greetings from the machine room"
SECOND: Final = "Letters from readers · A week without a provider"


def played_in(folder: Path) -> Played:
    with opened(folder) as town:
        return Month(town, page_of(PAGE)).play()


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return played_in(tmp_path_factory.mktemp("month"))


def test_every_output_on_the_page_is_this_runs(played: Played) -> None:
    typed = [step for step in script_of(page_of(PAGE)) if isinstance(step, Typed)]
    assert played.failed == []
    for run, step in zip(played.outputs, typed, strict=True):
        assert (run.command, same(run.output)) == (step.command, same(step.output))


def test_the_owner_got_the_mails_on_the_page_and_no_others(played: Played) -> None:
    assert [same(mail) for mail in played.owners_mails] == [same(mail) for mail in mails_of(page_of(PAGE))]


def test_each_reader_has_each_issue_once_and_nobody_else_has_one(played: Played) -> None:
    """Across a pause, bounces and a complaint (rows of the failure catalogue: never twice, never to
    those who left, are dead, or complained).
    """
    everyone = {address for domain in ACTIVE for address in readers_of(domain)}
    suspended = {*GONE, *REPORTED}
    assert played.copies == {
        FIRST: Counter(everyone.difference(GONE)),
        LETTER: Counter(everyone - suspended.union(FORGIVEN)),
        SECOND: Counter(everyone - suspended - {COMPLAINS}),
    }


def test_nothing_is_sent_while_an_issue_is_held(played: Played) -> None:
    quiet, later = played.arrived_while_held
    assert quiet == later < ACTIVE["pine.example"] - len(GONE)


def test_a_scanner_that_follows_the_link_approves_nothing(played: Played) -> None:
    assert played.issues_after_looking == 2


def test_the_digest_begins_with_the_foreword_and_the_letter_has_its_picture(played: Played) -> None:
    assert "this newsletter now comes from my own server." in " ".join(played.texts[FIRST].split())
    assert "this newsletter now comes from" not in " ".join(played.texts[SECOND].split())
    assert "https://www.example.net/pictures/server.jpg" in played.texts[LETTER]


def write() -> None:
    with tempfile.TemporaryDirectory(prefix="secondpost-month-") as name:
        played = played_in(Path(name))
    PAGE.write_text(with_outputs(page_of(PAGE), played.outputs, played.owners_mails), encoding="utf-8")


if __name__ == "__main__":
    write()
