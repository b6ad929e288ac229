"""Fixtures: a new office for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.newspaper import Newspaper, open_newspaper
from tests.cli.office import Office, open_office


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return open_office(tmp_path)


@pytest.fixture
def paper(tmp_path: Path) -> Iterator[Newspaper]:
    with open_newspaper(tmp_path, "weekly") as paper:
        yield paper
