"""All pages of the manual, written into a folder; a link that leads nowhere is a fault."""

import shutil
from dataclasses import dataclass
from functools import partial
from os.path import relpath
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from minijinja import Environment

from release.manual.contents import FOLDERS, INDEX, Contents, Entry, files_of, read_contents, resolved
from release.manual.writing import WrittenPage, written
from secondpost import __version__

HERE = Path(__file__).resolve().parent
FOLDER_WORDS = "Each says what was decided, why, and what else was possible."
HEADING_LEVEL = 2  # of those that are listed above a page


@dataclass(frozen=True, slots=True)
class Built:
    pages: int
    faults: tuple[str, ...]  # links that lead nowhere, each with its page


class Building:
    """One run of the builder."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.root = root
        self.folder = folder
        self.contents: Contents = read_contents(root)
        self.pages: dict[PurePosixPath, WrittenPage] = {}
        self.anchors: list[tuple[PurePosixPath, PurePosixPath, str]] = []  # from, to, anchor
        self.faults: list[str] = []

    def build(self) -> Built:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        shutil.copy(HERE / "style.css", self.folder)
        for source in self.contents.pages:
            self.pages[source] = written(self._text(source), partial(self._link, source))
        self._look_at_anchors()
        template = (HERE / "page.html").read_text(encoding="utf-8")
        environment = Environment(templates={"page.html": template})
        for number, source in enumerate(self.contents.pages):
            self._write(environment, source, number)
        return Built(len(self.pages), tuple(self.faults))

    def _text(self, source: PurePosixPath) -> str:
        if source not in FOLDERS:
            return (self.root / source).read_text(encoding="utf-8")
        (title,) = [
            entry.title
            for section in self.contents.sections
            for entry in section.entries
            if entry.source == source
        ]
        rows = [f"* [{entry.title}]({entry.source.name})" for entry in files_of(self.root, source)]
        return "\n".join([f"# {title}", "", FOLDER_WORDS, "", *rows, ""])

    def _link(self, source: PurePosixPath, target: str) -> str:
        parts = urlsplit(target)
        if len(parts.scheme) > 0:
            return target
        base = source / "README.md" if source in FOLDERS else source
        to = source if len(parts.path) == 0 else resolved(base, parts.path)
        if to in self.contents.pages:
            if len(parts.fragment) > 0:
                self.anchors.append((source, to, parts.fragment))
            anchor = f"#{parts.fragment}" if len(parts.fragment) > 0 else ""
            return anchor if to == source and len(anchor) > 0 else f"{self._address(source, to)}{anchor}"
        if to.suffix != ".md" and to.is_relative_to(INDEX.parent) and (self.root / to).is_file():
            return self._copied(source, to)
        self.faults.append(f"{source}: {target} is no page of the manual")
        return target

    def _copied(self, source: PurePosixPath, to: PurePosixPath) -> str:
        """A file that a page offers as it is, such as an example."""
        inside = to.relative_to(INDEX.parent)
        (self.folder / inside).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.root / to, self.folder / inside)
        return relpath(inside, self.contents.html_of(source).parent)

    def _address(self, source: PurePosixPath, to: PurePosixPath) -> str:
        return relpath(self.contents.html_of(to), self.contents.html_of(source).parent)

    def _look_at_anchors(self) -> None:
        for source, to, anchor in self.anchors:
            if anchor not in {heading.anchor for heading in self.pages[to].headings}:
                self.faults.append(f"{source}: {to} has no heading #{anchor}")

    def _write(self, environment: Environment, source: PurePosixPath, number: int) -> None:
        page = self.pages[source]
        place = self.folder / self.contents.html_of(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        html = environment.render_template(
            "page.html",
            title=page.headings[0].title,
            index=self._address(source, INDEX),
            style=relpath("style.css", self.contents.html_of(source).parent),
            body=page.html,
            headings=[heading for heading in page.headings if heading.level == HEADING_LEVEL],
            sections=[
                {"title": section.title, "entries": [self._shown(source, entry) for entry in section.entries]}
                for section in self.contents.sections
            ],
            before=self._neighbour(source, number - 1),
            after=self._neighbour(source, number + 1),
            version=__version__,
        )
        place.write_text(html, encoding="utf-8")

    def _shown(self, source: PurePosixPath, entry: Entry) -> dict[str, object]:
        is_here = entry.source == source
        return {"title": entry.title, "address": self._address(source, entry.source), "is_here": is_here}

    def _neighbour(self, source: PurePosixPath, number: int) -> dict[str, str] | None:
        if not 0 <= number < len(self.contents.pages):
            return None
        to = self.contents.pages[number]
        return {"title": self.pages[to].headings[0].title, "address": self._address(source, to)}
