"""What `secondpost check` finds on this machine, and in the stores, without the network."""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from secondpost.config.recipients import RecipientFaults, read_recipients
from secondpost.config.records import Backup, Config, RecipientFile
from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.delivery import State
from secondpost.mail.envelope import Lane
from secondpost.mail.store_rooms import UPGRADE_HELD
from secondpost.mail.walls import StandingWalls
from secondpost.roles.certificate_look import certificate_paths
from secondpost.roles.desk import open_desk
from secondpost.setup.certificate import BrokenFiles, CertificateFiles, examine_certificate
from secondpost.setup.diagnosis import Check, Diagnosis, Grade
from secondpost.setup.files import FilesFacts, examine_files
from secondpost.setup.known_bugs import examine_versions, known_bugs
from secondpost.setup.machine import MachineFacts, examine_machine
from secondpost.setup.primary_answers import StoredFacts
from secondpost.setup.walls import examine_walls
from secondpost.store.sqlite.connection import library_version
from secondpost.store.sqlite.schema import Database
from secondpost.world.ports import KeyFault
from secondpost.world.real.certificates import certificate_files
from secondpost.world.real.clock import RealClock
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.keys import dkim_records
from secondpost.world.real.landlock import landlock_version
from secondpost.world.real.machine import (
    all_file_facts,
    can_read,
    clock_facts,
    file_facts,
    library_versions,
    open_files_max,
)
from secondpost.world.real.seccomp import has_seccomp

HELD_LANES = (Lane.RELAY, Lane.UNVERIFIED)


def examine_here(
    config: Config, user: str, folders: tuple[str, ...], *, is_divided: bool
) -> Iterator[Diagnosis]:
    """`user`: that runs the service; `folders`: that it makes in its store; `is_divided`: whether each
    role has a user there.

    Root sees more: call it before becoming the owner of the store.
    """
    free_octets = RealDisk(config.store).free_octets() if os.path.isdir(config.store) else None
    yield from examine_machine(config, MachineFacts(clock_facts(), free_octets, user, open_files_max()))
    yield examine_walls(StandingWalls(landlock_version(), has_seccomp()))
    yield from examine_files(_files(config, folders, user, is_divided), user)
    yield from examine_certificate(config, tls_files(config), RealClock().now_ms())
    yield from examine_versions({"SQLite": library_version(), **library_versions()}, known_bugs())


def tls_files(config: Config) -> CertificateFiles | BrokenFiles | None:
    """None if the configuration names no certificate, or the first one is still to be got."""
    paths = certificate_paths(config)
    if paths is None or (config.tls.acme is not None and not os.path.exists(paths[0])):
        return None
    return certificate_files(*paths)


def signing_keys(config: Config) -> Diagnosis:
    """Whether the keys that sign mail to readers are there."""
    try:
        dkim_records(config.store, config.dkim)
    except KeyFault as fault:
        text, remedy = f"The keys are missing: {fault}.", "secondpost serve makes them when it starts"
        return Diagnosis(Check.SIGNING_KEYS, "", Grade.FAULT, text, remedy)
    return Diagnosis(Check.SIGNING_KEYS, "", Grade.WELL, "Both signing keys are there.")


@dataclass(frozen=True, slots=True)
class FoundInStore:
    """What the mail store says; nothing is known of a domain that is not in `stored`."""

    stored: Mapping[Domain, StoredFacts]
    is_served: bool  # whether the service runs
    has_begun: bool = True  # whether it ever ran
    is_held: bool = False  # callers wait while an upgrade is looked at: that they get no answer is no fault


NOTHING_STORED = FoundInStore({}, is_served=False, has_begun=False)


async def look_at_store(config: Config) -> FoundInStore:
    """Raises what opening a store raises."""
    async with open_desk(config) as open_:
        desk, now_ms = open_.desk, open_.clock.now_ms()
        counts = [one for one in await desk.counts() if one.state is State.WAITING]
        stored: dict[Domain, StoredFacts] = {}
        for backup in config.backups:
            waiting = [one for one in counts if one.domain == backup.domain.name and one.lane in HELD_LANES]
            stored[backup.domain] = StoredFacts(
                recipients_learned=await desk.recipients_learned(backup.domain),
                recipients_listed=_listed(backup),
                held=sum(one.deliveries for one in waiting),
                oldest_ms=max((now_ms - one.oldest_ms for one in waiting), default=0),
            )
        is_held = os.path.exists(os.path.join(config.store, UPGRADE_HELD))
        return FoundInStore(stored, await desk.is_served(), is_held=is_held)


def _listed(backup: Backup) -> int:
    """Recipients in the configuration and in the files that it names; a broken file counts none."""
    keys: set[str] = set()
    for source in backup.recipients:
        match source:
            case Mailbox():
                keys.add(source.key)
            case RecipientFile(path):
                with suppress(RecipientFaults):
                    keys |= read_recipients(path, backup.domain).keys
            case _:
                pass
    return len(keys)


def _files(config: Config, folders: tuple[str, ...], user: str, is_divided: bool) -> FilesFacts:
    within = [os.path.join(config.store, name) for name in folders]
    databases = [os.path.join(config.store, one.path_name) for one in Database]
    secrets = [config.tls.key, *(route.password_file for route in config.routes)]
    needed = [config.tls.certificate, *secrets]
    return FilesFacts(
        config=file_facts(config.path),
        store=all_file_facts([config.store, *within]),
        databases=all_file_facts(databases),
        secrets=all_file_facts(path for path in secrets if path is not None),
        unreadable=tuple(path for path in needed if path is not None and not can_read(user, path)),
        is_divided=is_divided,
    )
