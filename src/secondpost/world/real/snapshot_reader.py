"""Reads a snapshot, and trusts nothing in it: names, kinds and sizes of its members are checked
against its manifest before a file is made, and the checksums while it is.
"""

import hashlib
import os
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, BinaryIO

import msgspec

from secondpost.mail.snapshot import (
    FORMAT,
    MANIFEST,
    MANIFEST_OCTETS_MAX,
    Manifest,
    SnapshotFault,
    SnapshotFile,
    is_member_name,
)
from secondpost.world.real.tar_stream import TarStream

PIECE_OCTETS = 1024 * 1024


@contextmanager
def _tar_of(path: str) -> Iterator[TarStream]:
    """Raises SnapshotFault and OSError."""
    try:
        with TarStream.open(path, "r:") as tar:
            yield tar
    except (tarfile.TarError, EOFError) as error:
        raise SnapshotFault(f"{path} is no snapshot, or was cut off: {error}") from error


def read_manifest(path: str) -> Manifest:
    """The manifest, if the members are exactly those that it names. Raises SnapshotFault, OSError."""
    with _tar_of(path) as tar:
        sizes: dict[str, int] = {}
        for member in tar:
            if not member.isfile() or member.sparse is not None:
                raise SnapshotFault(f"{path} is refused: {member.name!r} in it is no plain file")
            if not is_member_name(member.name) or member.name in sizes:
                raise SnapshotFault(
                    f"{path} is refused: {member.name!r} in it is no name of a snapshot's file"
                )
            if MANIFEST in sizes:
                raise SnapshotFault(f"{path} is refused: something comes after its manifest")
            sizes[member.name] = member.size
            if member.name == MANIFEST:
                manifest = _manifest(path, tar, member)
            tar.members.clear()
    if MANIFEST not in sizes:
        raise SnapshotFault(f"{path} was cut off: its manifest is missing")
    del sizes[MANIFEST]
    if sizes != {file.name: file.size for file in manifest.files}:
        raise SnapshotFault(f"{path} is refused: its files are not those of its manifest")
    return manifest


def _manifest(path: str, tar: tarfile.TarFile, member: tarfile.TarInfo) -> Manifest:
    if member.size > MANIFEST_OCTETS_MAX:
        raise SnapshotFault(f"{path} is refused: its manifest is too large")
    found = tar.extractfile(member)
    assert found is not None, "it is a plain file"
    try:
        manifest = msgspec.json.decode(found.read(), type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SnapshotFault(f"{path} is refused: its manifest cannot be read: {error}") from None
    if manifest.format != FORMAT:
        raise SnapshotFault(
            f"{path} was made by Secondpost {manifest.version}, which is newer; install that version"
        )
    return manifest


# The place for a file's content, or None to check it only.
PlaceOf = Callable[[SnapshotFile], str | None]


def read_files(path: str, manifest: Manifest, place: PlaceOf, progress: Callable[[int], None]) -> None:
    """Read every file and compare its checksum; `place` says where its content goes.

    Files are made anew, mode 0600, and synced. Raises SnapshotFault and OSError.
    """
    expected = {file.name: file for file in manifest.files}
    with _tar_of(path) as tar:
        for member in tar:
            file = expected.get(member.name)
            if file is not None:
                source = tar.extractfile(member)
                assert source is not None, "it was a plain file"
                _read_file(path, source, file, place(file), progress)
            tar.members.clear()


def _read_file(
    path: str, source: IO[bytes], file: SnapshotFile, to: str | None, progress: Callable[[int], None]
) -> None:
    digest, left = hashlib.sha256(), file.size
    made = None if to is None else _made(to)
    try:
        while left > 0 and len(piece := source.read(min(PIECE_OCTETS, left))) > 0:
            digest.update(piece)
            progress(len(piece))
            left -= len(piece)
            if made is not None:
                made.write(piece)
        if made is not None:
            made.flush()
            os.fsync(made.fileno())
    finally:
        if made is not None:
            made.close()
    if left > 0 or digest.hexdigest() != file.sha256:
        raise SnapshotFault(f"{path} is damaged: {file.name} in it is not what was saved")


def _made(to: str) -> BinaryIO:
    """A new file; a link or another file in its place is refused."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return open(os.open(to, flags, 0o600), "wb")
