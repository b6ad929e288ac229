"""The files of an old server as a dict, and what is imported from them."""

from dataclasses import dataclass, field

from secondpost.setup.importing.carried import Fate, ImportedServer, ReportLine
from secondpost.setup.importing.old_files import NotRead
from secondpost.setup.importing.opensmtpd.reading import read_old_opensmtpd, read_opensmtpd

CONF = "/etc/mail/smtpd.conf"


@dataclass(slots=True)
class OldWorld:
    """Texts by path."""

    texts: dict[str, str] = field(default_factory=dict)

    def text(self, path: str) -> str | NotRead:
        return self.texts.get(path, NotRead("cannot be read: No such file or directory"))

    def names(self, folder: str) -> tuple[str, ...] | NotRead:
        below = [path for path in self.texts if path.startswith(f"{folder}/")]
        if len(below) == 0:
            return NotRead("cannot be read: Not a directory")
        return tuple(sorted(path.removeprefix(f"{folder}/").partition("/")[0] for path in below))


def imported(conf: str, files: dict[str, str] | None = None, *, is_old: bool = False) -> ImportedServer:
    read = read_old_opensmtpd if is_old else read_opensmtpd
    return read(OldWorld({CONF: conf, **(files or {})}), CONF)


def line(found: ImportedServer, number: int, path: str = CONF) -> ReportLine:
    """The report about a line; of a table file too."""
    (one,) = [one for one in found.report if (one.place.path, one.place.line) == (path, number)]
    return one


def fates(found: ImportedServer) -> dict[int, Fate]:
    return {one.place.line: one.fate for one in found.report if one.place.path == CONF}
