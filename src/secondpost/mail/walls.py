"""The walls of each role: what its process can still reach, and what a kernel cannot forbid it.

processes/walls raises them; docs/security.md shows this table. No role can run a program, whatever
else it may.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from secondpost.mail.store_rooms import StoreRoom, readable_by, writable_by

INTERNET_ROLES = frozenset({"deliver", "fetch"})  # the others are asked, or ask these over Unix sockets


@dataclass(frozen=True, slots=True)
class RoleWalls:
    written: tuple[StoreRoom, ...]
    read: tuple[StoreRoom, ...]
    has_internet: bool  # opens connections; the others answer those that come to their listening sockets


def walls_of(roles: Sequence[str]) -> RoleWalls:
    """The walls of a process that runs these roles: it can reach what any of them needs."""
    written = {room for role in roles for room in writable_by(role)}
    read = {room for role in roles for room in readable_by(role)} - written
    return RoleWalls(
        tuple(room for room in StoreRoom if room in written),
        tuple(room for room in StoreRoom if room in read),
        not INTERNET_ROLES.isdisjoint(roles),
    )


class WallGap(StrEnum):
    """What a role is not kept from, for want of something in the kernel, or where it is forbidden."""

    FILES = "files"
    TRUNCATE = "truncate"
    TCP = "tcp"
    ABSTRACT_SOCKETS = "abstract-sockets"
    SYSTEM_CALLS = "system-calls"


@dataclass(frozen=True, slots=True)
class StandingWalls:
    """The walls that stand around a process, or could on this machine."""

    landlock: int  # the version in use, 0 for none
    has_seccomp: bool

    @property
    def gaps(self) -> tuple[WallGap, ...]:
        found = []
        if self.landlock == 0:
            found.append(WallGap.FILES)
        elif self.landlock < 3:
            found.append(WallGap.TRUNCATE)
        if self.landlock < 4:
            found.append(WallGap.TCP)
        if self.landlock < 6:
            found.append(WallGap.ABSTRACT_SOCKETS)
        if not self.has_seccomp:
            found.append(WallGap.SYSTEM_CALLS)
        return tuple(found)
