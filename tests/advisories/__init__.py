"""Advisories of real holes (SOURCES.md), and what is right about them (verdicts.tsv)."""

from functools import cache
from pathlib import Path

from secondpost.protocols.osv.records import Advisory, read_advisory

RECORDS = Path(__file__).parent / "records"
VERDICTS = Path(__file__).parent / "verdicts.tsv"
SOURCES = Path(__file__).parent / "SOURCES.md"


@cache
def advisory(id: str) -> Advisory:
    return read_advisory((RECORDS / f"{id}.json").read_bytes())


def all_advisories() -> list[Advisory]:
    return [advisory(path.stem) for path in sorted(RECORDS.iterdir())]
