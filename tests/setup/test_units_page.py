"""docs/systemd.md names every directive of the units, and none that they do not have."""

import re
from pathlib import Path

from tests.setup.test_units import files_of

PAGE = (Path(__file__).parents[2] / "docs" / "systemd.md").read_text()
QUOTED = re.compile(r"`([A-Z][A-Za-z0-9]+)=([^`]*)`")
# Its values come from the configuration or the machine; the page shows "…" or nothing.
MADE = frozenset(
    {
        "BindPaths",
        "BindReadOnlyPaths",
        "ExecReload",
        "ExecStart",
        "Group",
        "IPAddressAllow",
        "ListenStream",
        "LoadCredential",
        "RootDirectory",
        "SupplementaryGroups",
        "User",
    }
)
OF_THE_COMMAND = frozenset({"ExecStart"})  # which is the page's subject, not a wall
SECTION = re.compile(r"^\[(\w+)\]\n((?:[^\[\n].*\n)*)", re.MULTILINE)
WALLS = ("Service", "Socket")


def test_the_page_has_each_directive_with_its_value() -> None:
    said = {(name, "" if name in MADE else value) for name, value in QUOTED.findall(PAGE)}
    assert said == rendered()


def rendered() -> set[tuple[str, str]]:
    texts = [file.text for case in ("backup", "both") for file in files_of(case) if file.unit is not None]
    found: set[tuple[str, str]] = set()
    for section, lines in (pair for text in texts for pair in SECTION.findall(text)):
        for name, _, value in (line.partition("=") for line in lines.splitlines()):
            if name not in OF_THE_COMMAND and (section in WALLS or name.startswith("StartLimit")):
                found.add((name, "" if name in MADE else value))
    return found
