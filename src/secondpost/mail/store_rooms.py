"""The rooms of the store: its folders, and which roles may write or read each of them.

This table is the law of who may open what. Modes and groups of the folders, Landlock rules and
systemd units are all made from it.
"""

from dataclasses import dataclass
from enum import Enum

ROLES = ("receive", "deliver", "web", "publish", "fetch")
SERVICE_GROUP = "secondpost"  # every role's user is in it; it opens the store's folder, and no room


@dataclass(frozen=True, slots=True)
class StoreRoomRights:
    folder: str  # below the store
    group: str  # of the roles below, where every role has a user of its own
    writers: frozenset[str]  # roles; they create and remove files here
    readers: frozenset[str] = frozenset()


class StoreRoom(Enum):
    """A folder of the store. One whose only writer is a role belongs to that role's user."""

    MAIL = StoreRoomRights("mail", "secondpost-mail", frozenset({"receive", "deliver"}))
    NEWSLETTER = StoreRoomRights(
        "newsletter", "secondpost-newsletter", frozenset({"deliver", "web", "publish"})
    )
    # Keys of DKIM and of our own signed addresses.
    KEYS = StoreRoomRights("keys", "secondpost-keys", frozenset({"deliver"}))
    # Keys of the links in readers' mail; a group of its own, since publish writes no links.
    LINKS = StoreRoomRights("keys/links", "secondpost-links", frozenset({"deliver"}), frozenset({"web"}))
    # The server's certificate and its key, got by ACME. The deliver role makes the key and the
    # request, so that the fetch role, which reads what strangers write, never has the key.
    TLS = StoreRoomRights("tls", "secondpost-tls", frozenset({"deliver"}), frozenset({"receive", "web"}))
    # The account at the certificate authority, and the answers to its challenges; in no group with the
    # certificate, so that fetch cannot read the server's key.
    ACME = StoreRoomRights("acme", "secondpost-acme", frozenset({"fetch"}), frozenset({"web"}))
    # The MTA-STS policies that the web role serves: the deliver role knows the domains' mail hosts.
    POLICIES = StoreRoomRights(
        "policies", "secondpost-newsletter", frozenset({"deliver"}), frozenset({"web"})
    )
    # Sockets and locks of a role. Connecting to a socket is not reading: every role may.
    RUN_RECEIVE = StoreRoomRights("run/receive", SERVICE_GROUP, frozenset({"receive"}))
    RUN_DELIVER = StoreRoomRights("run/deliver", SERVICE_GROUP, frozenset({"deliver"}))
    RUN_WEB = StoreRoomRights("run/web", SERVICE_GROUP, frozenset({"web"}))
    RUN_PUBLISH = StoreRoomRights("run/publish", SERVICE_GROUP, frozenset({"publish"}))
    RUN_FETCH = StoreRoomRights("run/fetch", SERVICE_GROUP, frozenset({"fetch"}))

    @property
    def folder(self) -> str:
        return self.value.folder


def run_room(role: str) -> StoreRoom:
    """The room of a role's sockets and locks."""
    return StoreRoom[f"RUN_{role.upper()}"]


def writable_by(role: str) -> tuple[StoreRoom, ...]:
    return tuple(room for room in StoreRoom if role in room.value.writers)


def readable_by(role: str) -> tuple[StoreRoom, ...]:
    """Rooms that a role may read and not write."""
    return tuple(room for room in StoreRoom if role in room.value.readers)


# There while a new version of the program has changed the store and is looked at (processes/held_store).
UPGRADE_HELD = f"{StoreRoom.MAIL.folder}/upgrade-held"
UPGRADE_COPY_ENDING = "-before-upgrade"  # of a database as it was, beside it
UPGRADE_COPIES = tuple(
    f"{room.folder}/{room.folder}.db{UPGRADE_COPY_ENDING}" for room in (StoreRoom.MAIL, StoreRoom.NEWSLETTER)
)
