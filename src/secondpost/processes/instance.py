"""Locks in the store against a second service, or a second instance of a role that must be single.

Each is a file lock, released when its process ends, however that happens; a role's lies in its room.
The roles receive and web need none: any number may share a store.
"""

import asyncio
import os
from contextlib import suppress

from secondpost.config.records import Config
from secondpost.mail.store_rooms import run_room
from secondpost.world.ports import Disk, Held

WHOLE = "service"  # the supervisor with its roles, or all roles in one process
# Deliver and fetch listen on a Unix socket; one publish role is enough, since only one can lead.
ONE_OF_A_KIND = ("deliver", "publish", "fetch")
END_SECONDS_MAX = 3.0  # roles that lost their supervisor need a moment to notice
POLL_SECONDS = 0.1
NUMBER_OCTETS_MAX = 20


class SecondInstance(Exception):
    """Another process uses the store. The text names it, and the remedy."""


def service_name(only: str | None) -> str:
    """The name of a supervisor's lock and socket below the store, without their endings. A supervisor
    of one role has them in that role's room.
    """
    return WHOLE if only is None else f"{run_room(only).folder}/{WHOLE}"


def role_name(role: str) -> str:
    """The name of a role's lock below the store, without its ending."""
    return f"{run_room(role).folder}/role"


def lock_name(name: str) -> str:
    return f"{name}.lock"


def hold_service(disk: Disk, config: Config, only: str | None = None) -> Held:
    """Take the service's lock. Raises SecondInstance, DiskFull and DiskFailed."""
    name = service_name(only)
    held = _hold(disk, name)
    if held is None:
        raise SecondInstance(_refusal(disk, config, name, "another Secondpost"))
    return held


def older_instance(config: Config) -> str:
    """The refusal to move a store with which a service of an older version works."""
    return (
        f"a service of an older version, or one of its commands, works with the store {config.store}; "
        "stop it first: the store is then moved into its new folders"
    )


async def hold_role(disk: Disk, config: Config, role: str) -> Held | None:
    """Take a role's lock, waiting while another instance ends; None for a role that needs none.

    Raises as `hold_service` does.
    """
    if role not in ONE_OF_A_KIND:
        return None
    loop = asyncio.get_running_loop()
    until = loop.time() + END_SECONDS_MAX
    name = role_name(role)
    while (held := _hold(disk, name)) is None:
        if loop.time() >= until:
            raise SecondInstance(_refusal(disk, config, name, f"another {role} role"))
        await asyncio.sleep(POLL_SECONDS)
    return held


async def wait_for_place(disk: Disk, config: Config, role: str) -> None:
    """Wait until no other instance of a role is there. Raises as `hold_role` does."""
    held = await hold_role(disk, config, role)
    if held is not None:
        held.release()


def _hold(disk: Disk, name: str) -> Held | None:
    held = disk.hold(lock_name(name))
    if held is not None:
        _sign(disk, name)
    return held


def _sign(disk: Disk, name: str) -> None:
    """Write our process id, for another instance's message; the lock holds without it."""
    with suppress(OSError), open(disk.path(lock_name(name)), "wb") as file:
        file.write(b"%d\n" % os.getpid())


def _refusal(disk: Disk, config: Config, name: str, what: str) -> str:
    number = _signed(disk, name)
    process = f" (process {number})" if number.isdecimal() else ""
    return (
        f"{what}{process} works with the store {config.store}; end it first, "
        f"or give this one a `store` of its own in {config.path}"
    )


def _signed(disk: Disk, name: str) -> str:
    with suppress(OSError), open(disk.path(lock_name(name)), "rb") as file:
        return file.read(NUMBER_OCTETS_MAX).decode("ascii", "replace").strip()
    return ""
