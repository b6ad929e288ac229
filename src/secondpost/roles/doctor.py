"""Answer the questions of `secondpost check` from the real world, and collect what it finds."""

import os
from collections.abc import Iterator

from secondpost.config.records import Config
from secondpost.setup.diagnosis import Diagnosis
from secondpost.setup.files import FilesFacts, examine_files
from secondpost.setup.known_bugs import examine_versions, known_bugs
from secondpost.setup.machine import MachineFacts, examine_machine
from secondpost.store.sqlite.connection import library_version
from secondpost.store.sqlite.schema import Database
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.machine import (
    all_file_facts,
    clock_facts,
    file_facts,
    library_versions,
    open_files_max,
)


def look_at_machine(config: Config, user: str, folders: tuple[str, ...]) -> Iterator[Diagnosis]:
    """`user`: that runs the service; `folders`: that it makes in its store.

    Root sees more: call it before becoming the owner of the store.
    """
    free_octets = RealDisk(config.store).free_octets() if os.path.isdir(config.store) else None
    yield from examine_machine(config, MachineFacts(clock_facts(), free_octets, user, open_files_max()))
    yield from examine_files(_files(config, folders), user)
    yield from examine_versions({"SQLite": library_version(), **library_versions()}, known_bugs())


def _files(config: Config, folders: tuple[str, ...]) -> FilesFacts:
    within = [os.path.join(config.store, name) for name in folders]
    databases = [os.path.join(config.store, one.file_name) for one in Database]
    secrets = [config.tls.key, *(route.password_file for route in config.routes)]
    return FilesFacts(
        config=file_facts(config.path),
        store=all_file_facts([config.store, *within]),
        databases=all_file_facts(databases),
        secrets=all_file_facts(path for path in secrets if path is not None),
    )
