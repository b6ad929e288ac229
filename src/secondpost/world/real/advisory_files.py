"""Reads advisories from files: OSV's JSON, folders of it, and the `all.zip` of each ecosystem."""

import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from secondpost.protocols.osv.judging import (
    UPSTREAM,
    Installed,
    is_about,
    is_ecosystem,
    order_of,
    python_name,
)
from secondpost.protocols.osv.records import (
    RECORD_OCTETS_MAX,
    Advisory,
    AdvisoryUnreadable,
    read_advisory,
)

FILES_MAX = 2_000_000
SHOWN_MAX = 3


class AdvisoriesMissing(Exception):
    """There is nothing to read; the text names the path and why."""


@dataclass
class AdvisoriesRead:
    advisories: list[Advisory] = field(default_factory=list)  # about what is installed
    ecosystems: set[str] = field(default_factory=set)  # of all that were read
    records: int = 0  # that were read, also those about other things
    faults: list[str] = field(default_factory=list)  # a sentence for each file that cannot be read

    @property
    def problem(self) -> str:
        if len(self.faults) == 0:
            return ""
        shown = "; ".join(self.faults[:SHOWN_MAX])
        more = "" if len(self.faults) <= SHOWN_MAX else f" and {len(self.faults) - SHOWN_MAX} more"
        return f"{len(self.faults)} of its files cannot be read: {shown}{more}"

    def lacks(self, installed: Installed) -> bool:
        """Whether nothing was read from which something would be known of it."""
        if order_of(installed) is None:
            return True
        if installed.ecosystem == UPSTREAM:
            return not any(is_about(one, installed) for found in self.advisories for one in found.affected)
        return not any(is_ecosystem(one, installed.ecosystem) for one in self.ecosystems)


def read_advisories(path: str, inventory: tuple[Installed, ...]) -> AdvisoriesRead:
    """Read a file, or all below a folder. Raises AdvisoriesMissing."""
    read = AdvisoriesRead()
    names = frozenset(python_name(name) for one in inventory for name in one.names)
    for number, (name, text) in enumerate(_texts(path)):
        if number == FILES_MAX:
            raise AdvisoriesMissing(f"{path} has more than {FILES_MAX:,} files")
        try:
            if isinstance(text, str):
                raise AdvisoryUnreadable(text)
            for record in _records(text):
                _add(read, read_advisory(record), inventory, names)
        except AdvisoryUnreadable as error:
            read.faults.append(f"{name}: {error}")
    if read.records == 0 and len(read.faults) == 0:
        raise AdvisoriesMissing(f"{path} has no advisory")
    return read


def _add(
    read: AdvisoriesRead, advisory: Advisory, inventory: tuple[Installed, ...], names: frozenset[str]
) -> None:
    """`names`: of the inventory; most advisories of an archive have none of them."""
    read.records += 1
    read.ecosystems.update(affected.ecosystem for affected in advisory.affected)
    read.ecosystems.discard("")
    likely = [affected for affected in advisory.affected if python_name(affected.name) in names]
    if any(is_about(affected, one) for affected in likely for one in inventory):
        read.advisories.append(advisory)


def _texts(path: str) -> Iterator[tuple[str, bytes | str]]:
    """The name and the content of each file; as text, why it has none."""
    if os.path.isdir(path):
        for folder, folders, names in os.walk(path):
            folders.sort()
            for name in sorted(names):
                if name.lower().endswith((".json", ".zip")):
                    yield from _of_file(os.path.join(folder, name))
    elif os.path.exists(path):
        yield from _of_file(path)
    else:
        raise AdvisoriesMissing(f"{path} does not exist")


def _of_file(path: str) -> Iterator[tuple[str, bytes | str]]:
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                for member in archive.infolist():
                    if member.filename.lower().endswith(".json"):
                        yield f"{path}: {member.filename}", _of_member(archive, member)
            return
        with open(path, "rb") as file:
            yield path, file.read(RECORD_OCTETS_MAX + 1)
    except (OSError, zipfile.BadZipFile) as error:
        yield path, f"it cannot be read: {error}"


def _of_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes | str:
    try:
        with archive.open(member) as file:
            return file.read(RECORD_OCTETS_MAX + 1)  # whatever size it claims to have
    except (OSError, zipfile.BadZipFile, RuntimeError, EOFError, ValueError) as error:
        return f"it cannot be unpacked: {error}"


class _Several(msgspec.Struct):
    """The answer of POST /v1/query."""

    vulns: list[msgspec.Raw]


_SEVERAL = msgspec.json.Decoder(_Several)
_LIST = msgspec.json.Decoder(list[msgspec.Raw])


def _records(text: bytes) -> list[bytes]:
    """One record, or several in one file."""
    start = text.lstrip()[:1]
    try:
        if start == b"[":
            return [bytes(one) for one in _LIST.decode(text)]
        return [bytes(one) for one in _SEVERAL.decode(text).vulns]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return [text]
