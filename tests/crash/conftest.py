from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory: what is durable is for the recording to say, not for the machine's disk."""
    with TemporaryDirectory(dir="/dev/shm") as path:
        yield Path(path)
