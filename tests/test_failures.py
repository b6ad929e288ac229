"""docs/failures.md has all 57 rows, and names for each a test that exists."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.test_docs import rows_of

TESTS = Path(__file__).parent
DOCS = TESTS.parent / "docs"
PAGE = (DOCS / "failures.md").read_text(encoding="utf-8")
ROWS = 57
WORDS_MIN = 4  # of the name of a test, which is a sentence
REFERENCE = re.compile(r"(?P<file>[a-z_/]+\.py)::(?P<test>test_\w+)(?:\[(?P<story>\w+)\])?")
STORIES = "newsletter/test_weeks.py"  # whose tests are the files of newsletter/weeks
FOUND = rows_of(PAGE)


@cache
def functions_of(file: str) -> frozenset[str]:
    """The functions of a file under tests, by name; none if there is no such file."""
    path = TESTS / file
    if not path.is_file():
        return frozenset()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = (each for each in tree.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(each.name for each in functions)


def faults_of(reference: str) -> list[str]:
    """What is wrong with the name of a test."""
    found = REFERENCE.fullmatch(reference)
    if found is None:
        return [f"{reference} is not the name of a test"]
    file, test, story = found["file"], found["test"], found["story"]
    faults = []
    if test not in functions_of(file):
        faults.append(f"{file} has no {test}")
    if len(test.removeprefix("test_").split("_")) < WORDS_MIN:
        faults.append(f"{test} is no sentence")
    if (file == STORIES) != (story is not None):
        faults.append(f"{reference}: only the tests of {STORIES} are stories")
    if story is not None and not (TESTS / "newsletter/weeks" / f"{story}.weeks").is_file():
        faults.append(f"there is no story {story}")
    return faults


def test_each_of_the_failures_has_one_row() -> None:
    assert [row[0] for row in FOUND] == [str(number) for number in range(1, ROWS + 1)]
    for number, wrong, kept, _ in FOUND:
        assert wrong.endswith("."), number
        assert kept.endswith("."), number


@pytest.mark.parametrize("row", FOUND, ids=[row[0] for row in FOUND])
def test_each_failure_is_kept_away_by_tests_that_exist(row: tuple[str, ...]) -> None:
    references = [each.strip().strip("`") for each in row[3].split(", ")]
    assert len(references) == len(set(references)) > 0
    assert [fault for reference in references for fault in faults_of(reference)] == []


@pytest.mark.parametrize(
    ("reference", "fault"),
    [
        ("newsletter/test_issues.py", "not the name of a test"),
        ("newsletter/test_nothing.py::test_what_is_not_there", "has no"),
        ("newsletter/test_issues.py::test_what_is_not_there", "has no"),
        ("compose/test_mail.py::test_any_mail", "no sentence"),
        ("newsletter/test_weeks.py::test_no_article_is_lost_and_none_comes_twice", "stories"),
        ("newsletter/test_weeks.py::test_no_article_is_lost_and_none_comes_twice[none]", "no story"),
    ],
)
def test_a_reference_that_leads_nowhere_is_found(reference: str, fault: str) -> None:
    assert any(fault in each for each in faults_of(reference))
