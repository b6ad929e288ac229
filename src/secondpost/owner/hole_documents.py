"""A hole in mail software, in the documents of `watch attacks` and `watch attacks scan`."""

from dataclasses import dataclass

from secondpost.watch.hole import KnownHole


@dataclass(frozen=True, slots=True)
class KnownHoleDocument:
    """A hole in mail software, and how to tell whether it was used."""

    cves: list[str]
    software: str
    versions: str
    debian: list[str]
    needs: str
    effect: str
    in_log: str
    on_machine: str
    to_do: str
    source: str
    unchecked: str


def hole_document(hole: KnownHole) -> KnownHoleDocument:
    return KnownHoleDocument(
        cves=list(hole.cves),
        software=hole.software,
        versions=hole.versions,
        debian=list(hole.debian),
        needs=hole.needs,
        effect=hole.effect,
        in_log=hole.in_log,
        on_machine=hole.on_machine,
        to_do=hole.to_do,
        source=hole.source,
        unchecked=hole.unchecked,
    )
