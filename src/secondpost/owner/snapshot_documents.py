"""The JSON documents of `secondpost snapshot`."""

from dataclasses import dataclass

from secondpost.mail.snapshot import Manifest
from secondpost.owner.figures import utc_time


@dataclass(frozen=True, slots=True)
class SnapshotDocument:
    """The document of `snapshot save`, `show`, `verify` and `restore`."""

    path: str
    made: str
    hostname: str
    version: str
    store: str
    files: int
    octets: int
    schemas: dict[str, int]
    counts: dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True)
class AcceptDocument:
    """The document of `snapshot accept`, in deliveries and articles."""

    delivered: int
    sent_on: int
    dropped: int
    unknown: int
    articles_skipped: int


def snapshot_document(path: str, manifest: Manifest) -> SnapshotDocument:
    return SnapshotDocument(
        path=path,
        made=utc_time(manifest.made_ms),
        hostname=manifest.hostname,
        version=manifest.version,
        store=manifest.store,
        files=len(manifest.files),
        octets=manifest.octets,
        schemas=manifest.schemas,
        counts=manifest.counts,
    )
