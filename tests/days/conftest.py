from collections.abc import Iterator
from pathlib import Path

import pytest

from simulation.clock import fence
from tests.days.town import Town


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    it = Town(tmp_path / "store")
    with fence(it.timeline):
        yield it
        it.machine.scrap()
        faults = it.timeline.end()
    assert [fault for fault in faults if "Gone" not in fault] == []
