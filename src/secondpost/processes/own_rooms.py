"""The store as a role's own user finds it: prepared by another, with some rooms that it may write."""

import os
from collections.abc import Sequence

from secondpost.config.records import Config
from secondpost.mail.store_rooms import writable_by


def settle_unless_prepared(config: Config, *, is_prepared: bool) -> bool:
    """Make the rooms, unless that was done for us; whether a store of an older version was moved.

    What moves a store is large, and the processes of units never need it.
    """
    if is_prepared:
        return False
    from secondpost.processes.moving import settle_in

    return settle_in(config)


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
