"""The built manual holds together: all links and anchors lead somewhere, and its pages ask for nothing else.

The pages are read here with another parser than the one that wrote them.
"""

import re
from collections import deque
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from release.manual.building import Building, Built
from release.manual.contents import read_contents

ROOT = Path(__file__).parent.parent
LOADED = {"script", "img", "iframe", "object", "embed", "video", "audio", "source", "form", "style"}
PRESENT = ("style.css", "data:,")  # what a page may load


@dataclass
class ReadPage(HTMLParser):
    """What a page links to, loads and offers as anchors."""

    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    elements: set[str] = field(default_factory=set)
    anchors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.elements.add(tag)
        if values.get("id") is not None:
            self.anchors.append(values["id"] or "")
        if tag == "a":
            self.links.append(values["href"] or "")
        if tag == "link" and values.get("rel") in ("stylesheet", "icon"):
            self.loaded.append(values["href"] or "")


def read(path: Path) -> ReadPage:
    page = ReadPage()
    page.feed(path.read_text(encoding="utf-8"))
    return page


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("manual") / "pages"


@pytest.fixture(scope="module")
def built(folder: Path) -> Built:
    return Building(ROOT, folder).build()


@pytest.fixture(scope="module")
def pages(folder: Path, built: Built) -> dict[Path, ReadPage]:
    found = {path.resolve(): read(path) for path in folder.rglob("*.html")}
    assert len(found) == built.pages
    return found


def target_of(path: Path, link: str) -> tuple[Path, str]:
    parts = urlsplit(link)
    to = path if len(parts.path) == 0 else (path.parent / unquote(parts.path)).resolve()
    return to, parts.fragment


def test_the_builder_finds_no_fault(built: Built) -> None:
    assert built.faults == ()


def test_every_link_and_anchor_leads_somewhere(pages: dict[Path, ReadPage]) -> None:
    faults = []
    for path, page in pages.items():
        for link in page.links:
            if len(urlsplit(link).scheme) > 0:
                continue
            to, anchor = target_of(path, link)
            if not to.is_file() or (len(anchor) > 0 and anchor not in pages[to].anchors):
                faults.append(f"{path.name}: {link}")
    assert faults == []


def test_every_page_is_reached_from_the_first(folder: Path, pages: dict[Path, ReadPage]) -> None:
    first = (folder / "index.html").resolve()
    seen, waiting = {first}, deque([first])
    while len(waiting) > 0:
        path = waiting.popleft()
        for link in pages[path].links:
            to, _ = target_of(path, link)
            if len(urlsplit(link).scheme) == 0 and to in pages and to not in seen:
                seen.add(to)
                waiting.append(to)
    assert seen == set(pages)


def test_a_page_loads_nothing_but_its_style_sheet(folder: Path, pages: dict[Path, ReadPage]) -> None:
    for path, page in pages.items():
        assert LOADED.isdisjoint(page.elements), path
        assert {link.removeprefix("../") for link in page.loaded} == set(PRESENT), path
    style = (folder / "style.css").read_text(encoding="utf-8")
    assert re.search(r"url\(|@import|https?:", style) is None


def test_no_anchor_stands_twice_on_a_page(pages: dict[Path, ReadPage]) -> None:
    for path, page in pages.items():
        assert len(page.anchors) == len(set(page.anchors)), path


def test_every_page_of_docs_is_in_the_manual() -> None:
    listed = {str(source) for source in read_contents(ROOT).pages}
    found = {str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")}
    assert found <= listed


def test_a_link_that_leads_nowhere_is_a_fault(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    (docs / "decisions").mkdir(parents=True)
    (docs / "README.md").write_text("# Manual\n\n## Start\n\n* [A](a.md)\n", encoding="utf-8")
    (docs / "a.md").write_text(
        "# A page\n\n[gone](b.md) [no heading](README.md#end) [a heading](README.md#start) [file](c.toml)\n",
        encoding="utf-8",
    )
    assert Building(tmp_path, tmp_path / "pages").build() == Built(
        2,
        (
            "docs/a.md: b.md is no page of the manual",
            "docs/a.md: c.toml is no page of the manual",
            "docs/a.md: docs/README.md has no heading #end",
        ),
    )
