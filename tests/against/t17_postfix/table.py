"""A table of what a client gets: client, sender, recipient, Postfix's action, and ours where it differs."""

from dataclasses import dataclass
from pathlib import Path

from secondpost.setup.importing.carried import Fate, ReportLine


@dataclass(frozen=True, slots=True)
class Action:
    """The reply to RCPT, and the host and port that got the mail; "" if that is not looked at."""

    code: int
    goes_to: str = ""

    @staticmethod
    def parse(text: str) -> "Action":
        code, _, goes_to = text.partition(">")
        return Action(int(code), goes_to)

    @property
    def kind(self) -> tuple[int, str]:
        """What a sender sees: taken, try again, or refused."""
        return self.code // 100, self.goes_to


@dataclass(frozen=True, slots=True)
class Row:
    """`because`: a parameter, or FILE:LINE, whose line in the report says that ours differs."""

    client: str
    sender: str  # "" for the null sender
    recipient: str
    old: Action
    new: Action
    because: str

    @property
    def differs(self) -> bool:
        return self.old.kind != self.new.kind


def rows(path: Path) -> tuple[Row, ...]:
    lines = (line.split() for line in path.read_text().splitlines() if not line.startswith("#"))
    return tuple(_row(fields) for fields in lines if len(fields) > 0)


def _row(fields: list[str]) -> Row:
    client, sender, recipient, old, *rest = fields
    new, because = rest if len(rest) > 0 else (old, "")
    return Row(client, sender.strip("<>"), recipient, Action.parse(old), Action.parse(new), because)


def says_so(report: tuple[ReportLine, ...], because: str) -> bool:
    """Whether the report names a line as changed or not carried."""
    file, _, number = because.partition(":")
    for line in report:
        if line.fate is Fate.CARRIED or len(line.why) == 0:
            continue
        if len(number) > 0 and line.place.path.endswith(f"/{file}") and line.place.line == int(number):
            return True
        if line.text.startswith((f"{because} =", f"{because} (not in the file)")):
            return True
    return False
