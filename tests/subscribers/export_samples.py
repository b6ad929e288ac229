"""The samples of exports, and the meaning of each according to exports/README.md."""

from dataclasses import dataclass
from pathlib import Path

from secondpost.subscribers.meanings import ReaderStanding

FOLDER = Path(__file__).parent / "exports"
HEADS = ("service", "form", "stops", "as")


@dataclass(frozen=True)
class ExportSample:
    path: Path
    service: str | None  # None: a list of no known service
    forms: tuple[str, ...]  # more than one in an archive
    stops: tuple[str, ...]  # columns that stop the import
    whole: ReaderStanding | None  # as the owner has to say; only the file's name says it
    people: tuple[tuple[str, str], ...]  # address, standing
    kept: tuple[tuple[str, str, str], ...]  # address, name, value

    @property
    def is_hostile(self) -> bool:
        return self.path.parent.name == "hostile"

    def __str__(self) -> str:
        return f"{self.path.parent.name}/{self.path.name}"


def _sample_of(path: Path) -> ExportSample:
    heads: dict[str, list[str]] = {name: [] for name in HEADS}
    people: list[tuple[str, str]] = []
    kept: list[tuple[str, str, str]] = []
    for line in path.with_suffix(".expected").read_text("utf-8").splitlines():
        name, colon, value = line.partition(": ")
        if len(colon) > 0 and name in heads:
            heads[name].append(value)
        elif line.startswith(" "):
            name, _, value = line.strip().partition(" = ")
            kept.append((people[-1][0], name, value))
        else:
            address, _, standing = line.rpartition(" ")
            people.append((address, standing))
    service = heads["service"][0]
    return ExportSample(
        path,
        service if service != "-" else None,
        tuple(form for form in heads["form"] if form != "-"),
        tuple(heads["stops"]),
        ReaderStanding(heads["as"][0]) if len(heads["as"]) > 0 else None,
        tuple(people),
        tuple(kept),
    )


SAMPLES = tuple(_sample_of(path) for path in sorted(FOLDER.glob("*/*")) if path.suffix != ".expected")
