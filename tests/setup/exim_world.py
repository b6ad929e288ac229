"""Configurations of Exim as dicts of files, and what is made of them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from secondpost.config.records import Config
from secondpost.setup.importing.carried import ImportedServer, ReportLine
from secondpost.setup.importing.exim.reading import read_exim
from secondpost.setup.importing.old_files import NotRead
from secondpost.setup.importing.writing import new_files

WHOLE: Final = "/etc/exim4/exim4.conf"


@dataclass(frozen=True, slots=True)
class Files:
    """The files of a machine, by their paths."""

    texts: Mapping[str, str]

    def text(self, path: str) -> str | NotRead:
        return self.texts.get(path, NotRead("is not there"))

    def names(self, folder: str) -> tuple[str, ...] | NotRead:
        start = folder.rstrip("/") + "/"
        names = {path.removeprefix(start).partition("/")[0] for path in self.texts if path.startswith(start)}
        return tuple(sorted(names)) if len(names) > 0 else NotRead("is not there")


@dataclass(frozen=True, slots=True)
class Made:
    """What was imported, and the configuration that came of it, without faults."""

    imported: ImportedServer
    config: Config

    @property
    def backups(self) -> dict[str, tuple[str, ...]]:
        """The recipients of each backup domain, as they are written."""
        return {one.domain: one.recipients for one in self.imported.answers.backups}

    @property
    def primaries(self) -> dict[str, tuple[str, ...]]:
        return {one.domain: one.primary for one in self.imported.answers.backups}

    def line(self, piece: str) -> ReportLine:
        """The first line of the report that has this piece of a statement."""
        return next(one for one in self.imported.report if piece in one.text)


def made(files: Mapping[str, str], path: str = WHOLE) -> Made:
    imported = read_exim(Files(files), path)
    answers = replace(imported.answers, owner=("me@elsewhere.example",), store="/var/lib/secondpost")
    return Made(imported, new_files(imported, answers, "/etc/secondpost/secondpost.toml").config)


ROUTERS: Final = """
begin routers
all:
  driver = dnslookup
  transport = smtp
begin transports
smtp:
  driver = smtp
"""


def relaying(
    acl: str, main: str = "", routers: str = ROUTERS, files: Mapping[str, str] | None = None
) -> Made:
    """A whole configuration whose ACL for recipients has these statements."""
    text = f"primary_hostname = mx2.example.net\nacl_smtp_rcpt = rcpt\n{main}\n"
    text += f"begin acl\nrcpt:\n{acl}\n{routers}"
    return made({WHOLE: text, **(files or {})})
