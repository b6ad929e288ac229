"""The store made ready for roles with a user each: folders and modes as root, the rest as its owner."""

import asyncio

from secondpost.config.records import Config
from secondpost.processes.user import become, prepare_store, service_user
from secondpost.store.sqlite import SqliteStore
from secondpost.store.sqlite.newsletter import SqliteNewsletterStore
from secondpost.world.real.clock import RealClock
from secondpost.world.real.dice import RealDice
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.keys import make_missing_keys
from secondpost.world.real.work import RealWork
from secondpost.world.room_disk import make_rooms


def prepare_for_units(config: Config) -> None:
    """Make rooms and missing keys, and migrate the databases. Raises UserRefused and what opening a
    store and making keys raise.
    """
    person = service_user(config)
    prepare_store(config, person)
    if person is not None:
        become(person)
    make_rooms(RealDisk(config.store))
    make_missing_keys(config.store, config.dkim, RealDice())
    asyncio.run(_migrate(config))


async def _migrate(config: Config) -> None:
    """Open each database as a role would, which creates or migrates it, and close it again."""
    kinds = (SqliteStore, SqliteNewsletterStore) if len(config.newsletters) > 0 else (SqliteStore,)
    work = RealWork()
    try:
        for kind in kinds:
            disk, clock = RealDisk(config.store), RealClock()
            kind.open(disk, work, clock, role="store", failed=lambda error: None).close()
    finally:
        work.close()
