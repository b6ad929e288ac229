"""Settings that hold for every test."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# No test is judged by a clock: a busy machine takes longer and finds the same.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

# A store here has sockets, whose paths may have 107 octets: pytest's own names, of 30, leave too few.
FOLDER_NAME_OCTETS_MAX = 12


@pytest.fixture
def tmp_path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As pytest's own, with a shorter name."""
    name = re.sub(r"\W", "_", request.node.name.removeprefix("test_"), flags=re.ASCII)
    return tmp_path_factory.mktemp(name[:FOLDER_NAME_OCTETS_MAX])
