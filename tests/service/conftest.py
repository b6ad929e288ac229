"""Fixtures: a running service with a primary."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.crash.postoffice import PostOffice
from tests.service.primary import Client, Primary

MakeOffice = Callable[..., PostOffice]
Call = Callable[[PostOffice], Client]


@pytest.fixture
def primary() -> Iterator[Primary]:
    it = Primary()
    yield it
    it.close()


@pytest.fixture
def make_office(tmp_path: Path, primary: Primary) -> Iterator[MakeOffice]:
    """Makes an office with parts of its configuration replaced; ends it after the test."""
    offices: list[PostOffice] = []

    def make(replaced: dict[str, str] | None = None, wrapper: tuple[str, ...] = ()) -> PostOffice:
        office = PostOffice(tmp_path, primary.port, wrapper)
        offices.append(office)
        path = tmp_path / "secondpost.toml"
        text = path.read_text()
        for old, new in (replaced if replaced is not None else {}).items():
            assert old in text
            text = text.replace(old, new)
        path.write_text(text)
        return office

    yield make
    for office in offices:
        office.end()


@pytest.fixture
def call() -> Iterator[Call]:
    """Connects to an office; every connection is closed after the test."""
    clients: list[Client] = []

    def connect(office: PostOffice) -> Client:
        clients.append(Client(office.port))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()
