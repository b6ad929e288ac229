"""The configuration that the service runs with, in memory and not on disk.

A role that is started again reads this, not the file: the owner may be in the middle of changing
it, or may have broken it. Neither may become an outage.
"""

import fcntl
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from secondpost.config.files import open_to_read
from secondpost.config.reading import parse_config
from secondpost.config.recipients import FILE_OCTETS_MAX
from secondpost.config.records import Config, RecipientFile

_SEALS = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
ACCEPTED = "SECONDPOST_ACCEPTED"  # the variable that names the descriptor with all of it


@dataclass(frozen=True, slots=True)
class Accepted:
    """`copies`: the certificate, its key and the recipients files, by path, as they were then."""

    config: Config
    copies: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Handed:
    path: str
    text: bytes
    copies: Mapping[str, bytes]


def accepted_now(config: Config) -> Accepted:
    """A configuration just read, with copies of its files; those that cannot be read are left out."""
    copies = {path: octets for path in _files_of(config, "receive") if (octets := _content(path)) is not None}
    return Accepted(config, copies)


def for_role(accepted: Accepted, role: str) -> Accepted:
    """What one role is given: of the files, one of which is a secret, those that it uses."""
    paths = _files_of(accepted.config, role)
    return Accepted(
        accepted.config, {path: octets for path, octets in accepted.copies.items() if path in paths}
    )


def _files_of(config: Config, role: str) -> list[str]:
    sources = [source for backup in config.backups for source in backup.recipients]
    lists = [source.path for source in sources if isinstance(source, RecipientFile)]
    certificate = [path for path in (config.tls.certificate, config.tls.key) if path is not None]
    match role:
        case "receive":
            return certificate + lists
        case "web" if config.web.has_https:
            return certificate
        case _:
            return []


def _content(path: str) -> bytes | None:
    try:
        with open(open_to_read(path), "rb") as file:
            return file.read(FILE_OCTETS_MAX)
    except OSError:
        return None


def sealed_file(accepted: Accepted) -> int:
    """The descriptor of a file in memory for one role: without a name, and no process can change it.

    Raises OSError.
    """
    handed = _Handed(os.path.abspath(accepted.config.path), accepted.config.text, accepted.copies)
    descriptor = os.memfd_create("secondpost-accepted", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with open(descriptor, "wb", closefd=False) as file:
        file.write(msgspec.msgpack.encode(handed))
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
    return descriptor


def inherited_configuration(environment: Mapping[str, str]) -> Accepted | None:
    """What the supervisor handed over; None for a process without one."""
    descriptor = environment.get(ACCEPTED)
    if descriptor is None:
        return None
    size = os.fstat(int(descriptor)).st_size
    handed = msgspec.msgpack.decode(os.pread(int(descriptor), size, 0), type=_Handed)
    os.close(int(descriptor))
    return Accepted(parse_config(handed.text, handed.path, are_files_checked=False), handed.copies)
