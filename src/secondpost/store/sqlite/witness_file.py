"""The witness file beside a database: `mail.db-witness-7` for the epoch 7.

Each epoch has a file of its own, and the older ones are removed when it is durable: a crash leaves
the old one, the new one, or both.
"""

from contextlib import suppress

from secondpost.mail.witness import WitnessFile, newest, witness_file_name, witness_file_of
from secondpost.world.ports import Disk, FileUnreadable

WITNESS_OCTETS_MAX = 256


def _split(path_name: str) -> tuple[str, str]:
    folder, _, name = path_name.rpartition("/")
    return folder, name


def _beside(disk: Disk, path_name: str) -> list[tuple[str, WitnessFile | None]]:
    """The names of all witness files of a database, and what each says; None for a torn one."""
    folder, database = _split(path_name)
    found = []
    for name in disk.names(folder):
        if witness_file_of(database, name, b"\n") is not None:
            path = name if len(folder) == 0 else f"{folder}/{name}"
            with suppress(FileNotFoundError):  # a newer one was written meanwhile
                found.append((path, witness_file_of(database, name, _content(disk, path))))
    return found


def _content(disk: Disk, path: str) -> bytes:
    try:
        return disk.read(path, 0, WITNESS_OCTETS_MAX)
    except FileUnreadable:
        return b""


def read_witness(disk: Disk, path_name: str) -> WitnessFile | None:
    return newest([file for _, file in _beside(disk, path_name) if file is not None])


def write_witness(disk: Disk, path_name: str, epoch: int) -> None:
    """Write the file of this epoch, durably, and remove the others. Raises DiskFull, DiskFailed."""
    beside = dict(_beside(disk, path_name))
    named = witness_file_name(path_name, epoch)
    wanted = WitnessFile(epoch, disk.identity(path_name))
    if beside.get(named) != wanted:
        if named in beside:
            disk.remove(named)  # torn by a crash
        try:
            file = disk.create(named)
        except FileExistsError:
            return  # another process writes the same just now
        try:
            file.write(wanted.octets)
            file.sync()
        finally:
            file.close()
        disk.sync_folder(_split(path_name)[0])
    for name, other in beside.items():
        if name != named and (other is None or other.epoch < epoch):
            disk.remove(name)
