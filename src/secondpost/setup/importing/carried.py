"""What a reader of another server's configuration gives: answers, recipient lists, and a report. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from secondpost.config.positions import KeyPath
from secondpost.setup.answers import Answers


class OldServer(StrEnum):
    """The mail servers whose configurations are read."""

    OPENSMTPD = "opensmtpd"  # 6.4 and later: actions and matches
    OLD_OPENSMTPD = "opensmtpd-old"  # before 6.4: accept and reject
    POSTFIX = "postfix"
    EXIM = "exim"


class Fate(StrEnum):
    """What became of a line."""

    CARRIED = "carried"  # the new server does the same
    CHANGED = "changed"  # it does nearly the same; the report says what differs
    NOT_CARRIED = "not carried"  # it does not, and the report says why and what to do


@dataclass(frozen=True, slots=True)
class OldPlace:
    """A line of a file of the old server, counted from 1; 0 means the file as a whole."""

    path: str
    line: int


@dataclass(frozen=True, slots=True)
class ReportLine:
    """A statement of the old configuration and what became of it.

    `text` is the statement as it stood there, on one line. `becomes`: the keys of the new file in which
    it lives on, such as ("backup", 0, "primary"); empty for what was not carried, or needs no key since
    it is how this server always behaves. `why`: one or two sentences with a full stop; empty only for
    what is carried without remark. `packaged_in`: the file or folder in which it stands as the old
    server's package has it, with nothing of the owner's; empty for all else.
    """

    place: OldPlace
    text: str
    fate: Fate
    why: str = ""
    becomes: tuple[KeyPath, ...] = ()
    packaged_in: str = ""


@dataclass(frozen=True, slots=True)
class ImportedServer:
    """`answers` still needs the owner and the store if the old server did not say them (NOT_ANSWERED).

    `lists`: the text of each recipients file by its name, which is relative to the folder of the new
    file; `answers` names it as file:NAME. `secrets`: the text of each password file, likewise.
    """

    server: OldServer
    answers: Answers
    lists: Mapping[str, str]
    report: tuple[ReportLine, ...]  # in the order in which the lines were read
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class OldFault:
    """Why a line cannot be read; `reason` is one sentence without a full stop, with its remedy."""

    place: OldPlace
    reason: str

    def text(self) -> str:
        where = f"{self.place.path}:{self.place.line}" if self.place.line > 0 else self.place.path
        return f"{where}: {self.reason}"


class OldConfigFaults(Exception):
    """The old configuration cannot be understood as a whole: nothing of it is carried over."""

    def __init__(self, faults: tuple[OldFault, ...]) -> None:
        self.faults = faults  # not empty
        super().__init__("\n".join(fault.text() for fault in faults))
