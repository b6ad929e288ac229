"""The old configurations: a folder each, below `old`, with a `case.toml` and the files that go to /etc.

`case.toml` has what is read, the recipients that are tried, and where the two servers may differ: each
with a piece of the statement that the report then must name as changed or not carried.
"""

import shutil
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

OLD: Final = Path(__file__).parent / "old"
USUAL_SENDERS: Final = ("someone@elsewhere.example",)


class Outcome(StrEnum):
    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REFUSED = "refused"
    CLOSED = "no connection"


@dataclass(frozen=True, slots=True)
class Row:
    client: str
    sender: str
    recipient: str
    is_primary_up: bool
    old: Outcome
    new: Outcome


@dataclass(frozen=True, slots=True)
class Result:
    """`report`: the lines of `config import --json`."""

    name: str
    rows: list[Row]
    report: list[dict[str, Any]]
    config: str


@dataclass(frozen=True, slots=True)
class Difference:
    """Rows in which the servers differ, by patterns of client, recipient and sender, and the reason.

    `primary`: "up", "down" or "*". `statement`: a piece of a line of the report.
    """

    client: str
    recipient: str
    old: Outcome
    new: Outcome
    statement: str
    sender: str = "*"
    primary: str = "*"

    def has(self, row: Row) -> bool:
        return (
            fnmatchcase(row.client, self.client)
            and fnmatchcase(row.sender, self.sender)
            and fnmatchcase(row.recipient, self.recipient)
            and fnmatchcase("up" if row.is_primary_up else "down", self.primary)
            and (row.old, row.new) == (self.old, self.new)
        )


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    read: str  # what is given to `config import`
    is_made: bool  # of its parts, by Debian's tools; else it is /etc/exim4/exim4.conf
    recipients: tuple[str, ...]
    senders: tuple[str, ...]
    is_primary_stopped: bool  # asked again while it is
    differences: tuple[Difference, ...]
    lines: tuple[str, ...]  # of the new file, without their spaces

    @staticmethod
    def load(folder: Path) -> "Case":
        written = tomllib.loads((folder / "case.toml").read_text())
        return Case(
            name=folder.name,
            read=written["read"],
            is_made=written.get("is_made", True),
            recipients=tuple(written["recipients"]),
            senders=tuple(written.get("senders", USUAL_SENDERS)),
            is_primary_stopped=written.get("primary_stopped", False),
            lines=tuple(written.get("lines", [])),
            differences=tuple(
                Difference(**{**one, "old": Outcome(one["old"]), "new": Outcome(one["new"])})
                for one in written.get("differs", [])
            ),
        )

    def lay(self, root: Path, package: Path) -> None:
        """The old server's /etc below `root`: what Debian's package has, then the files of the case."""
        etc = root / "etc"
        etc.mkdir()
        (etc / "hostname").write_text("mx2.example.net\n")
        if self.is_made:
            shutil.copytree(package, etc / "exim4")
        for path in sorted((OLD / self.name / "etc").rglob("*")):
            there = etc / path.relative_to(OLD / self.name / "etc")
            if path.is_dir():
                there.mkdir(exist_ok=True)
            else:
                shutil.copyfile(path, there)
        for path in (etc, *etc.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)


CASES: Final = tuple(Case.load(path.parent) for path in sorted(OLD.glob("*/case.toml")))
