"""A snapshot: one tar file with all that the service keeps, and a list of it, the manifest, at its end.

Members below `store/` have their names in the store. The configuration is `configuration/secondpost.toml`,
and a file that it names `configuration/files/N-NAME`. Since the manifest is the last member, a snapshot
that was cut off has none.
"""

import re

from msgspec import Struct

MANIFEST = "manifest.json"
STORE_FOLDER = "store/"
CONFIGURATION = "configuration/secondpost.toml"
NAMED_FOLDER = "configuration/files/"
FORMAT = 1
MANIFEST_OCTETS_MAX = 256 * 1024 * 1024  # a million files
NAME_CHARACTERS_MAX = 512

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@+-]*")


class SnapshotFile(Struct, frozen=True):
    name: str  # of the member
    size: int
    sha256: str
    is_secret: bool
    path: str = ""  # where a file that the configuration names belongs


class Manifest(Struct, frozen=True):
    """What a snapshot holds, and of which store."""

    format: int
    version: str
    hostname: str
    made_ms: int
    store: str  # the folder
    identity: str  # of its mail.db: the machine and the place on the disk
    schemas: dict[str, int]  # by database
    counts: dict[str, dict[str, int]]  # rows by database and table
    files: tuple[SnapshotFile, ...]

    @property
    def octets(self) -> int:
        return sum(file.size for file in self.files)


class SnapshotFault(Exception):
    """The snapshot cannot be used, or not be made. The text is for the owner."""


def is_member_name(name: str) -> bool:
    """Whether a file of this name may come out of a snapshot: no way leads out of its folder."""
    parts = name.split("/")
    return len(name) <= NAME_CHARACTERS_MAX and all(_PART.fullmatch(part) is not None for part in parts)
