"""Configuration cases: cases/NN-name.toml with the expected messages beside it, one per line.

NAME.faults: it does not start; NAME.warnings: it does. A new case is two files, no code. The path
of the folder is written CASES.
"""

from pathlib import Path

import pytest

from secondpost.config.reading import ConfigFaults, read_config, warnings

CASES = Path(__file__).parent / "cases"
NAMES = sorted(path.stem for path in CASES.glob("*.toml"))


def told(name: str) -> tuple[str, list[str]]:
    """The file with the expected lines, and the lines."""
    path = CASES / f"{name}.toml"
    try:
        config = read_config(str(path))
    except ConfigFaults as faults:
        lines = [fault.text(path.name) for fault in faults.faults]
        return f"{name}.faults", [line.replace(str(CASES), "CASES") for line in lines]
    said = warnings(config, exists=lambda user: True, readable=lambda path: path.endswith("password"))
    return f"{name}.warnings", [str(warning).replace(str(CASES), "CASES") for warning in said]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_said_of_the_case(name: str) -> None:
    expected, lines = told(name)
    assert lines == (CASES / expected).read_text(encoding="utf-8").splitlines()


def test_every_expectation_has_its_case() -> None:
    expectations = [path.stem for path in CASES.iterdir() if path.suffix in (".faults", ".warnings")]
    assert sorted(expectations) == NAMES
