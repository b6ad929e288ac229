"""The operations on a disk that matter to a power cut. A file is identified by its inode."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Created:
    file: int  # the inode: a name that is created again is another file
    name: str


@dataclass(frozen=True, slots=True)
class Wrote:
    file: int
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Truncated:
    file: int
    size: int


@dataclass(frozen=True, slots=True)
class Synced:
    file: int


@dataclass(frozen=True, slots=True)
class SyncFailed:
    """A failed sync. Linux marks the pages clean: a later sync succeeds without writing them."""

    file: int


@dataclass(frozen=True, slots=True)
class Removed:
    name: str


@dataclass(frozen=True, slots=True)
class FolderMade:
    name: str


@dataclass(frozen=True, slots=True)
class FolderSynced:
    name: str  # "" is the root


FolderChange = Created | Removed | FolderMade
Change = Wrote | Truncated
Operation = FolderChange | Change | Synced | SyncFailed | FolderSynced
Image = dict[str, bytes]


def folder_of(name: str) -> str:
    return name.rpartition("/")[0]
