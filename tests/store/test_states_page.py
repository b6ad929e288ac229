"""docs/states.md has the states of issues, articles and readers as in their tables."""

import re
from enum import StrEnum
from pathlib import Path

from secondpost.mail.article_states import ARTICLE_EDGES, ArticleState
from secondpost.mail.issue import ISSUE_EDGES, IssueState
from secondpost.mail.subscriber_states import LIFTED_BY, Reason
from secondpost.mail.subscriber_states import SUBSCRIBER_EDGES as READER_EDGES

PAGE = Path(__file__).parent.parent.parent / "docs" / "states.md"


def rows_of(section: str) -> list[tuple[str, ...]]:
    """The cells of a section's table."""
    text = PAGE.read_text(encoding="utf-8").partition(f"## {section}\n")[2].partition("\n## ")[0]
    lines = re.findall(r"^\| (.+) \|$", text, re.MULTILINE)
    return [tuple(line.split(" | ")) for line in lines[1:]]


def cell(state: StrEnum | None) -> str:
    return "—" if state is None else f"`{state}`"


def test_every_edge_of_an_issue_is_documented() -> None:
    told = [(cell(edge.source), cell(edge.target), edge.when) for edge in ISSUE_EDGES]
    assert rows_of("The states of an issue") == told


def test_every_edge_of_an_article_is_documented() -> None:
    told = [(cell(edge.source), cell(edge.target), edge.by.value, edge.when) for edge in ARTICLE_EDGES]
    assert rows_of("The states of an article") == told
    assert {edge.target for edge in ARTICLE_EDGES} == set(ArticleState)


def test_every_edge_of_a_reader_is_documented() -> None:
    told = [(cell(edge.source), cell(edge.target), edge.by.value, edge.when) for edge in READER_EDGES]
    assert rows_of("The states of a reader") == told


def test_every_state_of_an_issue_can_be_reached_and_two_are_ends() -> None:
    assert {edge.target for edge in ISSUE_EDGES} == set(IssueState)
    assert set(IssueState) - {edge.source for edge in ISSUE_EDGES} == {IssueState.STOPPED}


def test_who_lifts_a_suppression_is_documented() -> None:
    told = [(cell(reason), ", ".join(by.value for by in lifted)) for reason, lifted in LIFTED_BY.items()]
    assert rows_of("Who is suppressed, and who lifts it") == told
    assert set(LIFTED_BY) == set(Reason)
