"""The witness of a database: whether it is the one that was used last, or a copy of it.

A copy (a restored snapshot, a cloned machine, a folder copied to another one) does not know what its
original has sent since, so it sends none of its mail before the owner accepts it. The witness is a
number, the epoch, that rises while the service runs. It is kept in the database and in a file beside
it, and the file also says which database it belongs to: the machine, and the database's place on the
disk. Both are compared whenever a process of the service opens the database.
"""

from collections.abc import Sequence

from msgspec import Struct

COPIED = "copied"  # the cause of deliveries that a copy holds
MARK = "-witness-"  # between the name of a database and the epoch, in the name of a witness file


class WitnessFile(Struct, frozen=True):
    """What a witness file says. Its end shows that it was written whole."""

    epoch: int
    identity: str  # of the database file: the machine and the place on the disk

    @property
    def octets(self) -> bytes:
        return f"{self.identity}\n".encode()


class WitnessRow(Struct, frozen=True):
    """What the database says about itself."""

    epoch: int  # 0: it has no witness yet
    is_copy: bool  # it comes from a snapshot
    is_held: bool


class CopyHold(Struct, frozen=True):
    """A copy that sends nothing of what it held when it was made."""

    since_ms: int
    why: str


def witness_file_name(database: str, epoch: int) -> str:
    return f"{database}{MARK}{epoch}"


def witness_file_of(database: str, name: str, octets: bytes) -> WitnessFile | None:
    """A witness file of the database by its name and content; None for any other, or a torn one."""
    head, _, epoch = name.partition(MARK)
    if head != database or not (epoch.isascii() and epoch.isdigit()) or not octets.endswith(b"\n"):
        return None
    return WitnessFile(int(epoch), octets.decode("utf-8", "replace").removesuffix("\n"))


def newest(files: Sequence[WitnessFile]) -> WitnessFile | None:
    return max(files, key=lambda file: file.epoch, default=None)


def why_a_copy(row: WitnessRow, file: WitnessFile | None, identity: str) -> str | None:
    """Why the database must be a copy of the one that was used last; None if nothing says so.

    The epoch is written in the database first and in the file after it, so after a crash the
    database may be one ahead; the file never is.
    """
    if row.is_copy:
        return "it was restored from a snapshot"
    if file is None:
        return None if row.epoch <= 1 else "the witness file beside it is missing"
    if file.identity != identity:
        return "it was copied from another place, or this is another machine"
    if row.epoch < file.epoch:
        return "an older copy was put in its place"
    if row.epoch > file.epoch + 1:
        return "the witness file beside it is older"
    return None
