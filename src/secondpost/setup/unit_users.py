"""The users and groups of the roles, made from the rooms of the store (sysusers.d(5), tmpfiles.d(5)).

Each role has a user of its own, in the group of each room that it may open. The owner's user, as
whom commands work, is in all of them.
"""

from collections.abc import Sequence

from secondpost.mail.store_rooms import SERVICE_GROUP, StoreRoom, readable_by, writable_by
from secondpost.setup.unit_file import SystemdFile

ROOTS = "/run/secondpost"  # a folder for each role, in which systemd builds the root it sees


def user_of_role(role: str) -> str:
    return f"secondpost-{role}"


def groups_of_role(role: str) -> tuple[str, ...]:
    """The groups of a role's user besides its own."""
    rooms = (*writable_by(role), *readable_by(role))
    return tuple(dict.fromkeys((SERVICE_GROUP, *(room.value.group for room in rooms))))


def users_file(owner: str, roles: Sequence[str]) -> SystemdFile:
    groups = tuple(dict.fromkeys((SERVICE_GROUP, *(room.value.group for room in StoreRoom))))
    lines = [f"g {group} -" for group in groups]
    lines.append(f'u {owner} - "Secondpost"')
    lines += [f'u {user_of_role(role)} - "Secondpost, {role}"' for role in roles]
    lines += [f"m {owner} {group}" for group in groups if group != owner]
    lines += [f"m {user_of_role(role)} {group}" for role in roles for group in groups_of_role(role)]
    return SystemdFile("sysusers.d/secondpost.conf", "".join(f"{line}\n" for line in lines))


def folders_file(roles: Sequence[str]) -> SystemdFile:
    folders = (ROOTS, *(f"{ROOTS}/{role}" for role in roles))
    lines = [f"d {folder} 0755 root root -" for folder in folders]
    return SystemdFile("tmpfiles.d/secondpost.conf", "".join(f"{line}\n" for line in lines))
