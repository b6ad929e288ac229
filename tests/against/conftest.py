"""Fixtures: a folder that the peers' own users may read, and a Postfix as the primary."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import peers
from tests.against.primaries import PostfixPrimary


@pytest.fixture(autouse=True)
def _as_root() -> None:
    peers.need_root()


@pytest.fixture
def place() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="secondpost-against-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def postfix(place: Path) -> Iterator[PostfixPrimary]:
    primary = PostfixPrimary.prepared(place)
    with primary:
        yield primary
