"""The store made ready for roles with a user each: folders and modes as root, the rest as its owner."""

import asyncio
import sys

from secondpost.config.records import Config
from secondpost.processes.held_store import take_store_back
from secondpost.processes.migrating import migrate_store
from secondpost.processes.rooms import prepare_rooms, room_users
from secondpost.processes.user import become, commands_user, keep_from_others
from secondpost.store.sqlite import SqliteStore
from secondpost.store.sqlite.newsletter import SqliteNewsletterStore
from secondpost.world.real.clock import RealClock
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.work import RealWork


def prepare_for_units(config: Config) -> None:
    """Make rooms and missing keys, and migrate the databases. Raises UserRefused, SecondInstance and
    what opening a store and making keys raise.
    """
    prepare_rooms(config, room_users(config))
    become(commands_user(config))
    keep_from_others()
    take_store_back(config)
    migrate_store(config, say=_print)
    asyncio.run(_create(config))


def _print(text: str) -> None:
    sys.stderr.write(f"secondpost: {text}\n")


async def _create(config: Config) -> None:
    """Open each database as a role would, which creates it, and close it again."""
    kinds = (SqliteStore, SqliteNewsletterStore) if len(config.newsletters) > 0 else (SqliteStore,)
    work = RealWork()
    try:
        for kind in kinds:
            disk, clock = RealDisk(config.store), RealClock()
            kind.open(disk, work, clock, role="store", failed=lambda error: None).close()
    finally:
        work.close()
