"""The locks in the store that keep a second service, or a second role of one of a kind, out of it.

Each is a file lock, which falls with its process however that ends. Roles receive and web need none: any
number of them may work with one store.
"""

import asyncio
import os
from contextlib import suppress

from secondpost.config.records import Config
from secondpost.world.ports import Disk, Held

WHOLE = "service"  # the supervisor with its roles, or all roles in one process
ONE_OF_A_KIND = ("deliver", "publish", "fetch")  # deliver and fetch answer at a socket, publish leads
END_SECONDS_MAX = 3.0  # what lost its supervisor needs a moment to notice
POLL_SECONDS = 0.1
NUMBER_OCTETS_MAX = 20


class SecondInstance(Exception):
    """Another process works there already. The text names it, and the fix."""


def lock_name(name: str) -> str:
    return f"{name}.lock"


def hold_service(disk: Disk, config: Config) -> Held:
    """Raises SecondInstance, DiskFull and DiskFailed."""
    held = _hold(disk, WHOLE)
    if held is None:
        raise SecondInstance(_refusal(disk, config, WHOLE))
    return held


async def hold_role(disk: Disk, config: Config, role: str) -> Held | None:
    """None for a role of which there may be several. Waits while another ends. Raises as `hold_service`."""
    if role not in ONE_OF_A_KIND:
        return None
    loop = asyncio.get_running_loop()
    until = loop.time() + END_SECONDS_MAX
    while (held := _hold(disk, role)) is None:
        if loop.time() >= until:
            raise SecondInstance(_refusal(disk, config, role))
        await asyncio.sleep(POLL_SECONDS)
    return held


def _hold(disk: Disk, name: str) -> Held | None:
    held = disk.hold(lock_name(name))
    if held is not None:
        _sign(disk, name)
    return held


def _sign(disk: Disk, name: str) -> None:
    """Our number, for the sentence that another one would end with; the lock holds without it."""
    with suppress(OSError), open(disk.path(lock_name(name)), "wb") as file:
        file.write(b"%d\n" % os.getpid())


def _refusal(disk: Disk, config: Config, name: str) -> str:
    what = "another Secondpost" if name == WHOLE else f"another {name} role"
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
