"""The table of contents: docs/README.md, whose headings and lists order the manual.

Paths are those of the sources, relative to the project's folder, such as docs/guide.md.
"""

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from posixpath import normpath

DOCS = PurePosixPath("docs")
INDEX = DOCS / "README.md"
FOLDERS = (DOCS / "decisions",)  # of each, the manual has a page that lists its files


@dataclass(frozen=True, slots=True)
class Entry:
    title: str
    source: PurePosixPath  # of a page, or a folder


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Contents:
    sections: tuple[Section, ...]
    listed: tuple[Entry, ...]  # the files of the folders, which no section names one by one

    @property
    def pages(self) -> tuple[PurePosixPath, ...]:
        """Every source that becomes a page, in the order of the manual."""
        named = [entry.source for section in self.sections for entry in section.entries]
        return (INDEX, *named, *(entry.source for entry in self.listed))

    def html_of(self, source: PurePosixPath) -> PurePosixPath:
        """Where the page of a source stands in the built folder."""
        inside = source.relative_to(DOCS) if source.is_relative_to(DOCS) else source
        if source in FOLDERS:
            return inside / "index.html"
        return PurePosixPath("index.html") if source == INDEX else inside.with_suffix(".html")


def read_contents(root: Path) -> Contents:
    text = (root / INDEX).read_text(encoding="utf-8")
    parts = re.split(r"^## (.+)\n", text, flags=re.MULTILINE)[1:]
    sections = [Section(title, _entries(body)) for title, body in zip(parts[::2], parts[1::2], strict=True)]
    listed = (entry for folder in FOLDERS for entry in files_of(root, folder))
    return Contents(tuple(one for one in sections if len(one.entries) > 0), tuple(listed))


def files_of(root: Path, folder: PurePosixPath) -> tuple[Entry, ...]:
    """The pages in a folder, by the headings with which they begin."""
    found = sorted((root / folder).glob("*.md"))
    return tuple(Entry(title_of(path.read_text(encoding="utf-8")), folder / path.name) for path in found)


def title_of(text: str) -> str:
    """The first heading, without marks."""
    found = re.search(r"^# (.+)$", text, re.MULTILINE)
    if found is None:
        raise ValueError("a page of the manual begins with a heading of the first level")
    return found[1].replace("`", "")


def resolved(source: PurePosixPath, target: str) -> PurePosixPath:
    """The path to which a link in a source leads."""
    return PurePosixPath(normpath(source.parent / target))


def _entries(body: str) -> tuple[Entry, ...]:
    links = re.findall(r"^\* \[([^\]]+)\]\(([^)#:]+)\)", body, re.MULTILINE)
    return tuple(Entry(title, resolved(INDEX, target)) for title, target in links)
