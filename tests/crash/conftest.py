from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory, since the recording decides what is durable."""
    with TemporaryDirectory(dir="/dev/shm") as path:
        yield Path(path)
