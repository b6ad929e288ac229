"""The pictures in docs/smtp.md are generated from the state tables of the cores.

`python -m tests.protocols.test_pictures` writes them.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import pytest

from secondpost.protocols.smtp import client as smtp_client
from secondpost.protocols.smtp import server_states as smtp_server
from secondpost.protocols.smtp.server_states import ANYWHERE, READING_COMMANDS

PAGE = Path(__file__).parents[2] / "docs" / "smtp.md"
PICTURES = ("server", "client")
S = TypeVar("S", bound=StrEnum)
W = TypeVar("W", bound=StrEnum)


def picture(name: str) -> str:
    """A mermaid state diagram; all transitions between the same two states are one arrow."""
    if name == "server":
        return _drawn(
            _edges(smtp_server.TABLE), smtp_server.ServerState.CONNECTED, smtp_server.ServerState.CLOSED
        )
    return _drawn(_edges(smtp_client.TABLE), smtp_client.ClientState.GREETING, smtp_client.ClientState.CLOSED)


def _edges(table: Mapping[S, Mapping[W, S]]) -> Iterator[tuple[StrEnum, StrEnum, StrEnum]]:
    for state, moves in table.items():
        for what, after in moves.items():
            yield state, after, what


def _drawn(edges: Iterator[tuple[StrEnum, StrEnum, StrEnum]], first: StrEnum, last: StrEnum) -> str:
    arrows: dict[tuple[str, str], list[str]] = {}
    for state, after, what in edges:
        arrows.setdefault((_word(state), _word(after)), []).append(str(what))
    lines = [f"    [*] --> {_word(first)}"]
    lines += [f"    {state} --> {after}: {' / '.join(whats)}" for (state, after), whats in arrows.items()]
    return "\n".join(["stateDiagram-v2", *lines, f"    {_word(last)} --> [*]"])


def _word(state: StrEnum) -> str:
    return state.value.replace(" ", "_")


def _with_pictures(page: str) -> str:
    for name in PICTURES:
        before, mark, rest = page.partition(f"<!-- picture: {name} -->\n```mermaid\n")
        assert len(mark) > 0, f"{PAGE.name} has no place for the picture of the {name}"
        _, _, after = rest.partition("\n```\n")
        page = f"{before}{mark}{picture(name)}\n```\n{after}"
    return page


@pytest.mark.parametrize("name", PICTURES)
def test_the_page_shows_the_table(name: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert picture(name) in page, "draw it anew with: python -m tests.protocols.test_pictures"


@pytest.mark.parametrize("name", PICTURES)
def test_every_state_can_be_reached(name: str) -> None:
    states: type[StrEnum] = smtp_server.ServerState if name == "server" else smtp_client.ClientState
    drawn = picture(name)
    for state in states:
        assert f"--> {_word(state)}" in drawn, f"nothing leads to {state}"


def test_the_page_names_every_verb_that_fits_anywhere() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert all(str(verb) in page for verb in ANYWHERE)
    assert len(READING_COMMANDS) == 4


if __name__ == "__main__":
    PAGE.write_text(_with_pictures(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
