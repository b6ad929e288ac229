"""Fixtures: a service for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.web.service import Service, open_service


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def service(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Service]:
    async with open_service(tmp_path) as opened:
        yield opened
