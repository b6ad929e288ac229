"""Fixtures: a bench for blogs, in a folder of its own; and one store for the blogs of many examples."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import pytest

from secondpost.config.records import Newsletter
from tests.clock import SetClock
from tests.newsletter.blog import Bench, Blog

MEMORY = Path("/dev/shm")  # none of this has to be durable


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with asyncio.Runner() as runner:
        bench = Bench(tmp_path, runner)
        yield bench
        bench.close()


@dataclass(repr=False)
class Ground:
    """One store for all examples of a property, each of which is a newsletter of its own."""

    bench: Bench
    first: Blog
    names: Iterator[int]

    def blog(self, newsletter: Newsletter, at_ms: int) -> Blog:
        named = replace(newsletter, name=f"n{next(self.names)}")
        first = self.first
        return Blog(first.store, SetClock(at_ms), named, lease=first.lease, ids=first.ids)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tempfile.mkdtemp(dir=MEMORY) if MEMORY.is_dir() else str(tmp_path_factory.mktemp("ground"))
    with asyncio.Runner() as runner:
        bench = Bench(Path(folder), runner)
        first = bench.blog(reads=False)
        bench.run(first.leader())
        yield Ground(bench, first, count())
        bench.close()
    shutil.rmtree(folder)
