"""Fixtures: a bench for blogs, in a folder of its own."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.newsletter.blog import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with asyncio.Runner() as runner:
        bench = Bench(tmp_path, runner)
        yield bench
        bench.close()
