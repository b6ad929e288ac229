"""The store as a role's own user finds it: prepared by another, with some rooms that it may write."""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from secondpost.config.records import Config
from secondpost.mail.store_rooms import UPGRADE_COPIES, UPGRADE_HELD, writable_by
from secondpost.maillog import MailLog
from secondpost.world.real.service_manager import ServiceManager, status, still_starting

if TYPE_CHECKING:  # what migrates a store is large, and processes of units never need it
    from secondpost.processes.migrating import MigratedDatabase

STEP_SECONDS_MAX = 3600  # of a start between two words to the service manager: a large migration says none


def settle_unless_prepared(config: Config, *, is_prepared: bool) -> bool:
    """Make the rooms, unless that was done for us; whether a store of an older version was moved.

    What moves a store is large, and the processes of units never need it.
    """
    if is_prepared:
        return False
    from secondpost.processes.moving import settle_in

    return settle_in(config)


def take_back_unless_prepared(config: Config, *, is_prepared: bool) -> bool:
    """Take back an upgrade that was cut short while callers waited; whether there was one. Raises as
    `migrate_store` does.
    """
    if is_prepared or not is_anything_left(config.store):
        return False
    from secondpost.processes.held_store import take_store_back

    return take_store_back(config)


def is_anything_left(store: str) -> bool:
    """Of an upgrade that was cut short while callers waited."""
    return any(os.path.lexists(os.path.join(store, name)) for name in (UPGRADE_HELD, *UPGRADE_COPIES))


def migrate_unless_prepared(config: Config, *, is_prepared: bool) -> "tuple[MigratedDatabase, ...]":
    """Bring the databases up to date, unless that was done for us. Raises as `migrate_store` does."""
    if is_prepared:
        return ()
    from secondpost.processes.migrating import migrate_store

    manager, said = ServiceManager(os.environ), False

    def say(text: str) -> None:
        nonlocal said
        manager.say(still_starting(STEP_SECONDS_MAX), status(text))
        if not said:
            said = True
            sys.stderr.write(f"secondpost: the store is brought up to date: {text}\n")

    try:
        return migrate_store(config, passes_unreadable=True, say=say)
    finally:
        manager.close()


def log_migrated(log: MailLog, migrated: "Sequence[MigratedDatabase]") -> None:
    for each in migrated:
        copy = "none" if each.kept is None else each.kept.path
        log.store_migrated(each.database.file_name, each.old_schema, each.schema, copy)


def is_prepared_for(config: Config, roles: Sequence[str]) -> bool:
    """Whether the store belongs to another user, who made the rooms of these roles writable for us.

    Then there is nothing to make: secondpost-store.service did, and in a unit's root only these
    rooms are there.
    """
    rooms = {room for role in roles for room in writable_by(role)}
    try:
        is_ours = os.geteuid() in (0, os.stat(config.store).st_uid)
    except OSError:
        return False
    return not is_ours and all(
        os.access(os.path.join(config.store, room.folder), os.W_OK | os.X_OK) for room in rooms
    )
