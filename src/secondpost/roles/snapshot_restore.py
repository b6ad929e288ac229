"""Puts a snapshot into an empty store. Its databases are marked as copies, so the service holds what
they have until the owner accepts it.
"""

import errno
import os
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress

from secondpost.mail.snapshot import (
    CONFIGURATION,
    NAMED_FOLDER,
    STORE_FOLDER,
    Manifest,
    SnapshotFault,
    SnapshotFile,
    is_member_name,
)
from secondpost.mail.store_rooms import StoreRoom
from secondpost.roles.snapshot import Progress, need_room
from secondpost.store.sqlite.copying import DatabaseCopy
from secondpost.store.sqlite.schema import Database
from secondpost.world.real.files import sync_folder
from secondpost.world.real.modes import OWN, modes_in
from secondpost.world.real.snapshot_reader import read_files, read_manifest

RESTORING = ".restoring"  # at the end of a database's name, until all is there
KEPT_ROOMS = (
    *(StoreRoom.MAIL, StoreRoom.NEWSLETTER, StoreRoom.KEYS, StoreRoom.LINKS, StoreRoom.TLS),
    StoreRoom.ACME,
)
_MEMBER_FOLDERS = tuple(f"{STORE_FOLDER}{room.folder}/" for room in KEPT_ROOMS)


def verified(path: str, progress: Progress) -> Manifest:
    """The manifest of a snapshot that is whole. Raises SnapshotFault, StoreRefused and OSError."""
    manifest = read_manifest(path)
    need_places(path, manifest)
    with tempfile.TemporaryDirectory(prefix="secondpost-verify-", dir=_temporary()) as folder:
        need_room(folder, sum(file.size for file in manifest.files if _database_of(file) is not None))

        def place(file: SnapshotFile) -> str | None:
            database = _database_of(file)
            return None if database is None else os.path.join(folder, database.file_name)

        read_files(path, manifest, place, _counted(manifest, progress))
        for file in manifest.files:
            database = _database_of(file)
            if database is not None:
                DatabaseCopy(os.path.join(folder, database.file_name), database).examine()
    return manifest


def _temporary() -> str:
    """Databases are large, and /tmp may be memory."""
    return os.environ.get("TMPDIR", "/var/tmp")


def _counted(manifest: Manifest, progress: Progress) -> Callable[[int], None]:
    done = 0

    def read(octets: int) -> None:
        nonlocal done
        done += octets
        progress(done, manifest.octets)

    return read


def _database_of(file: SnapshotFile) -> Database | None:
    return next((each for each in Database if file.name == f"{STORE_FOLDER}{each.path_name}"), None)


def need_places(path: str, manifest: Manifest) -> None:
    """Raises SnapshotFault unless every file has a place in a store or is of the configuration."""
    for file in manifest.files:
        if not (file.name == CONFIGURATION or file.name.startswith((NAMED_FOLDER, *_MEMBER_FOLDERS))):
            raise SnapshotFault(f"{path} is refused: a store has no place for {file.name!r}")
    if not any(_database_of(file) is Database.MAIL for file in manifest.files):
        raise SnapshotFault(f"{path} has no mail.db")


def need_empty(store: str) -> None:
    """Raises SnapshotFault if the store holds anything that a snapshot could overwrite."""
    for room in KEPT_ROOMS:
        for folder, _, names in os.walk(os.path.join(store, room.folder)):
            if len(names) > 0:
                raise SnapshotFault(
                    f"the store {store} is not empty ({os.path.join(folder, names[0])}); "
                    "stop the service and move the store away, or name another folder with --store"
                )


class Restoring:
    """`configuration`: an empty folder for the configuration and the files that it names, or None."""

    def __init__(self, store: str, configuration: str | None, progress: Progress) -> None:
        self._store = os.path.abspath(store)
        self._configuration = None if configuration is None else os.path.abspath(configuration)
        self._progress = progress
        self._made: list[str] = []

    def restore(self, path: str, manifest: Manifest) -> None:
        """Raises SnapshotFault, StoreRefused and OSError; what was written is removed then."""
        need_empty(self._store)
        there = self._configuration
        if there is not None and os.path.isdir(there) and len(os.listdir(there)) > 0:
            raise SnapshotFault(f"{there} is not empty; name a new folder")
        try:
            self._make_folder(self._store)
            need_room(self._store, manifest.octets)
            read_files(path, manifest, self._place, _counted(manifest, self._progress))
            self._put_in_place(manifest)
        except BaseException:
            for made in self._made:
                with suppress(FileNotFoundError):
                    os.unlink(made)
            raise

    def _place(self, file: SnapshotFile) -> str | None:
        if file.name.startswith(STORE_FOLDER):
            to = os.path.join(self._store, file.name.removeprefix(STORE_FOLDER))
            if _database_of(file) is not None:
                to += RESTORING
        elif self._configuration is not None:
            to = os.path.join(self._configuration, self._name_of(file))
        else:
            return None
        self._make_folder(os.path.dirname(to))
        self._made.append(to)
        return to

    def _name_of(self, file: SnapshotFile) -> str:
        """The file's own name, if it can be used and no other has it; else the member's."""
        assert self._configuration is not None
        own, member = os.path.basename(file.path), os.path.basename(file.name)
        if not is_member_name(own) or os.path.lexists(os.path.join(self._configuration, own)):
            return member
        return own

    def _make_folder(self, folder: str) -> None:
        """Make a folder with its parents; it belongs to the owner of the one above it in the store."""
        if os.path.isdir(folder) and not os.path.islink(folder):
            return
        if folder not in (self._store, self._configuration):
            self._make_folder(os.path.dirname(folder))
        os.makedirs(folder, OWN.folder)
        if folder != self._store:
            _give_to_owner_of(os.path.dirname(folder), folder)
        sync_folder(os.path.dirname(folder))

    def _put_in_place(self, manifest: Manifest) -> None:
        """Give the files to their owners, and the databases their names, mail.db last."""
        for made in self._made:
            _give_to_owner_of(os.path.dirname(made), made)
        databases = [each for each in map(_database_of, manifest.files) if each is not None]
        for database in databases:
            to = os.path.join(self._store, database.path_name)
            DatabaseCopy(to + RESTORING, database).examine()
        for folder in sorted({os.path.dirname(made) for made in self._made}):
            sync_folder(folder)
        for database in sorted(databases, key=lambda each: each is Database.MAIL):
            to = os.path.join(self._store, database.path_name)
            os.rename(to + RESTORING, to)
            sync_folder(os.path.dirname(to))


def _give_to_owner_of(folder: str, path: str) -> None:
    """As root, a new file or folder belongs to the owner and group of the folder that it is in, who may
    already put another one, or a link, in its place. Raises OSError.
    """
    modes = modes_in(folder)
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        made = os.fstat(handle)
        if made.st_uid != os.geteuid() or (stat.S_ISREG(made.st_mode) and made.st_nlink > 1):
            raise OSError(errno.EPERM, "another file was put in its place", path)
        if os.geteuid() == 0:
            above = os.stat(folder)
            os.fchown(handle, above.st_uid, above.st_gid)
        os.fchmod(handle, modes.folder if stat.S_ISDIR(made.st_mode) else modes.file)
    finally:
        os.close(handle)
