"""The table of a configuration: what becomes of a mail, by client, sender and recipient.

A line is

    CLIENT SENDER RECIPIENT ACTION [OURS LINE]

ACTION is what the old server does: `refused`, `here` (it keeps or forwards the mail itself) or the name
of the next hop. Where our server does something else, OURS is that, and LINE is the line of the old
configuration by which the report has to say so, as `changed` or `not carried`.
"""

from dataclasses import dataclass
from pathlib import Path

REFUSED, HERE = "refused", "here"


@dataclass(frozen=True, slots=True)
class Row:
    """`line`: PATH:NUMBER, of the old server; "" if both do the same."""

    name: str
    client: str
    sender: str
    recipient: str
    action: str
    ours: str
    line: str


@dataclass(frozen=True, slots=True)
class Case:
    """A configuration of an old server. `etc`: what lies below its /etc."""

    name: str
    etc: Path
    rows: tuple[Row, ...]

    @property
    def is_old(self) -> bool:
        return self.name.startswith("old")


def cases() -> list[Case]:
    folder = Path(__file__).parent
    found = sorted(path.parent for path in folder.glob("*/*/mail"))
    return [Case(f"{one.parent.name}/{one.name}", one / "etc", _rows(one / "mail")) for one in found]


def _rows(path: Path) -> tuple[Row, ...]:
    lines = [line.split() for line in path.read_text().splitlines() if not line.startswith("#")]
    rows = []
    for number, fields in enumerate((one for one in lines if len(one) > 0), start=1):
        client, sender, recipient, action, *differs = fields
        assert len(differs) in (0, 2), f"{path}: {' '.join(fields)}"
        ours, line = differs if len(differs) > 0 else (action, "")
        rows.append(Row(f"row-{number}", client, sender, recipient, action, ours, line))
    return tuple(rows)
