"""Rehearses this version of the program on a copy of the store, while the service of an older one runs.

Nothing of the store itself is written. The copy lies in a folder of its own, named after this process,
which is removed at the end; the next rehearsal removes that of one that was killed.
"""

import asyncio
import os
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from secondpost import __version__
from secondpost.config.faults import ConfigFaults
from secondpost.config.records import Config
from secondpost.config.versions import VERSION
from secondpost.mail.size import size_text
from secondpost.mail.snapshot import SnapshotFault
from secondpost.owner.rehearsal_documents import (
    NoticedChangeDocument,
    RehearsalDocument,
    RehearsedDatabaseDocument,
    RehearsedPart,
    RehearsedStepDocument,
)
from secondpost.protocols.tokens import Ring
from secondpost.roles.desk import look_at_names, open_desk
from secondpost.roles.doctor_machine import tls_files
from secondpost.roles.rehearsed_store import RehearsedStore, copy_folder, sweep_copies
from secondpost.roles.snapshot import need_room
from secondpost.setup.certificate import examine_certificate
from secondpost.setup.diagnosis import Diagnosis, Grade
from secondpost.setup.version_changes import version_changes
from secondpost.store.ports import StoreFull, StoreRefused, StoreUnavailable
from secondpost.store.sqlite.migrating import room_for
from secondpost.store.sqlite.schema import Database, steps_back
from secondpost.world.ports import DiskFailed, DiskFull, KeyFault
from secondpost.world.real.clock import RealClock
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.keys import load_key_ring, load_signing_keys, pem_path, ring_path

START_SECONDS = 2.0  # of roles, until they serve
STORE_FAULTS = (StoreRefused, StoreUnavailable, StoreFull, SnapshotFault, DiskFailed, DiskFull, OSError)


def look_at_certificate(config: Config) -> Sequence[Diagnosis]:
    """For root, who may read the key, before becoming the store's owner."""
    return tuple(examine_certificate(config, tls_files(config), RealClock().now_ms()))


def configuration_refused(path: str, faults: ConfigFaults) -> RehearsalDocument:
    """The rehearsal of a version that does not understand the file."""
    text = "This version does not start with the file:\n" + "\n".join(faults.texts())
    step = RehearsedStepDocument(
        RehearsedPart.CONFIGURATION, False, text, "correct the file, then check again"
    )
    return RehearsalDocument(__version__, path, False, (step,), (), 0, 0, 0.0, False, ())


@dataclass(slots=True)
class Rehearsing:
    """`folder`: where the copy of the databases goes."""

    config: Config
    certificate: Sequence[Diagnosis]
    folder: str
    say: Callable[[str], None]
    _steps: list[RehearsedStepDocument] = field(default_factory=list)
    _databases: list[RehearsedDatabaseDocument] = field(default_factory=list)
    _clock: RealClock = field(default_factory=RealClock)

    def rehearse(self) -> RehearsalDocument:
        """For the store's owner. What fails is in the result."""
        self._look_at_configuration()
        self._look_at_certificate()
        self._look_at_keys()
        try:
            sweep_copies(self.folder)
            with copy_folder(self.folder) as folder:
                self._try_on_copy(folder)
        except OSError as error:
            self._wrong(RehearsedPart.COPY, f"{self.folder}: {error.strerror}.", "name another with --room")
        needed, free = self._room()
        migrated = [each for each in self._databases if each.schema < each.new_schema]
        pause = START_SECONDS + sum(each.copy_seconds + each.migration_seconds for each in migrated)
        return RehearsalDocument(
            version=__version__,
            config=self.config.path,
            ready=all(step.right for step in self._steps),
            steps=tuple(self._steps),
            databases=tuple(self._databases),
            needed_octets=needed,
            free_octets=free,
            pause_seconds=round(pause, 1),
            reversible=all(
                steps_back(_named(each.name), each.new_schema, each.schema) is not None for each in migrated
            ),
            changes=tuple(self._changes()),
        )

    def _right(self, part: RehearsedPart, text: str) -> None:
        self._steps.append(RehearsedStepDocument(part, True, text))

    def _wrong(self, part: RehearsedPart, text: str, remedy: str) -> None:
        self._steps.append(RehearsedStepDocument(part, False, text, remedy))

    def _look_at_configuration(self) -> None:
        written = _written_version(self.config)
        text = "This version understands every line of the file."
        if written < VERSION:
            text = (
                f"This version understands every line of the file, which has format {written}; "
                f"`secondpost config migrate` writes it in format {VERSION}."
            )
        self._right(RehearsedPart.CONFIGURATION, text)

    def _look_at_certificate(self) -> None:
        faults = [one for one in self.certificate if one.grade is Grade.FAULT]
        for one in faults:
            self._wrong(RehearsedPart.CERTIFICATE, one.text, one.remedy)
        if self.config.tls.certificate is None and self.config.tls.acme is None:
            self._right(
                RehearsedPart.CERTIFICATE, "No certificate is configured, so there is none to look at."
            )
        elif len(faults) == 0:
            self._right(RehearsedPart.CERTIFICATE, "The certificate and its key can be used.")

    def _look_at_keys(self) -> None:
        try:
            _load_keys(self.config)
        except (KeyFault, DiskFailed) as fault:
            self._wrong(RehearsedPart.KEYS, f"{fault}.", "put the keys back, from a snapshot if need be")
        else:
            self._right(RehearsedPart.KEYS, "Keys of signatures and links can be read.")

    def _try_on_copy(self, folder: str) -> None:
        """Copy both databases, migrate the copies, and open them as the roles do. mail.db is copied first,
        as in a snapshot.
        """
        part = RehearsedPart.COPY
        try:
            store = RehearsedStore(self.config.store, folder, self.say)
            found = store.databases()
            need_room(folder, room_for([store.octets(each) for each in found]))
            copied = {each: store.copied(each) for each in found}
            if len(found) == 0:
                self._right(part, "There is no database yet: the service makes them when it starts.")
                return
            self._right(part, f"The store was copied to {self.folder}, and the copy is removed again.")
            part = RehearsedPart.MIGRATION
            for each in found:
                self._databases.append(store.migrated(each, copied[each]))
            self._right(part, self._migration_text())
            part = RehearsedPart.OPENING
            self.say("opening the copy")
            asyncio.run(_open(replace(self.config, store=folder)))
            self._right(part, "The copy was opened as the roles open the store, and read.")
        except STORE_FAULTS as fault:
            text = str(fault) if not isinstance(fault, OSError) else f"{fault.filename}: {fault.strerror}"
            self._wrong(part, f"{text}.", _REMEDIES[part])

    def _migration_text(self) -> str:
        changed = [each for each in self._databases if each.schema < each.new_schema]
        if len(changed) == 0:
            return "The store has this version's schema already."
        parts = [
            f"{each.name} went from {each.schema} to {each.new_schema} in {each.migration_seconds:.1f} s"
            for each in changed
        ]
        return "; ".join(parts) + "."

    def _room(self) -> tuple[int, int]:
        """Octets that the store's disk needs for copies and migrations, and has beyond the reserve."""
        changed = [each for each in self._databases if each.schema < each.new_schema]
        needed = room_for([each.octets for each in changed])
        needed = max(needed, sum(each.octets + each.log_octets + max(each.growth, 0) for each in changed))
        free = RealDisk(self.config.store).free_octets() - self.config.reserve
        text = f"{size_text(needed)} are needed on the disk of {self.config.store}, and "
        text += f"{size_text(max(free, 0))} are free beyond the reserve."
        if needed > 0 and free < needed:
            remedy = (
                "free some space; or bring it up to date without keeping a copy, with the service stopped: "
            )
            self._wrong(RehearsedPart.ROOM, text, f"{remedy}secondpost upgrade --migrate --without-copy")
        else:
            self._right(RehearsedPart.ROOM, text if needed > 0 else "No further room is needed on the disk.")
        return needed, free

    def _changes(self) -> Iterator[NoticedChangeDocument]:
        schemas = {each.name: each.schema for each in self._databases if each.schema < each.new_schema}
        for change in version_changes().since(schemas, _written_version(self.config)):
            for whom, text in (("readers", change.readers), ("others", change.others)):
                if len(text) > 0:
                    yield NoticedChangeDocument(whom, text)


_REMEDIES = {
    RehearsedPart.COPY: "name a folder on another disk with --room, or free some space",
    RehearsedPart.MIGRATION: "do not install this version; the old one goes on with the store as it is",
    RehearsedPart.OPENING: "do not install this version; the old one goes on with the store as it is",
}


def _named(name: str) -> Database:
    return next(each for each in Database if each.file_name == name)


def _load_keys(config: Config) -> None:
    """Load those that are there: the service makes missing ones when it starts. Raises KeyFault and
    DiskFailed.
    """
    store, dkim = config.store, config.dkim
    if all(os.path.exists(pem_path(store, selector)) for selector in (dkim.rsa, dkim.ed25519)):
        load_signing_keys(store, dkim)
    for ring in Ring:
        if os.path.exists(ring_path(store, ring)):
            load_key_ring(store, ring)


async def _open(config: Config) -> None:
    """Open the copy as the roles do, and read what every start reads. Raises what opening a store raises."""
    if os.path.exists(os.path.join(config.store, Database.MAIL.path_name)):
        async with open_desk(config) as desk:
            await desk.desk.counts()
    await look_at_names(config)


def _written_version(config: Config) -> int:
    written = tomllib.loads(config.text.decode("utf-8")).get("version")
    return written if isinstance(written, int) else VERSION
