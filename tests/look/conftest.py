"""Fixtures: one browser, one site and one set of mails for all tests."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.look.browser import chromium
from tests.look.mails import written
from tests.look.site import Page, served


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Page]]:
    with served(tmp_path_factory.mktemp("site")) as found:
        yield found


@pytest.fixture(scope="session")
def mails(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Page]:
    folder = tmp_path_factory.mktemp("mails")
    return {name: Page(url, 0) for name, url in written(folder).items()}
