"""Every dialogue file holds, however its bytes are split."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.protocols.dialogue import (
    DIALOGUES,
    Cut,
    Dialogue,
    Driver,
    as_text,
    byte_by_byte,
    cut_at,
    read_dialogue,
    replay,
    whole,
)
from tests.protocols.drivers import ClientDriver, ServerDriver

SERVER_FILES = sorted((DIALOGUES / "server").glob("*.txt"))
CLIENT_FILES = sorted((DIALOGUES / "client").glob("*.txt"))


def check(dialogue: Dialogue, driver: Driver, cut: Cut, ours: str) -> None:
    heard = replay(dialogue, driver, cut)
    if heard != list(dialogue.exchanges):
        assert as_text(heard, ours) == as_text(list(dialogue.exchanges), ours)


def check_every_way(path: Path, ours: str, driver: Callable[[dict[str, str]], Driver]) -> None:
    dialogue = read_dialogue(path, ours)
    check(dialogue, driver(dialogue.options), whole, ours)
    if dialogue.options.get("splits") != "no":
        check(dialogue, driver(dialogue.options), byte_by_byte, ours)
    for place in dialogue.splits:
        check(dialogue, driver(dialogue.options), cut_at(place), ours)


@pytest.mark.parametrize("path", SERVER_FILES, ids=lambda path: path.stem)
def test_our_server_keeps_to_the_dialogue(path: Path) -> None:
    check_every_way(path, "S", ServerDriver)


@pytest.mark.parametrize("path", CLIENT_FILES, ids=lambda path: path.stem)
def test_our_client_keeps_to_the_dialogue(path: Path) -> None:
    check_every_way(path, "C", ClientDriver)


def test_there_are_dialogues_for_both_sides() -> None:
    assert len(SERVER_FILES) >= 40
    assert len(CLIENT_FILES) >= 20
