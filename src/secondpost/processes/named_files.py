"""The files outside the store that a role reads while it runs: a certificate that is renewed, a list of
recipients that the owner edits, a password, the DNS servers of this machine.

They lie among files that are not for this role, and are replaced by others of the same name. So no wall
can be built around them: the supervisor opens them, and hands the role a descriptor. It opens only the
paths that the configuration has for this role, whatever the role asks for.

A role without a supervisor opens them itself, and can then read everything in their folders.
"""

import asyncio
import errno
import os
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from enum import StrEnum
from socket import AF_UNIX, MSG_CMSG_CLOEXEC, SOCK_SEQPACKET, recv_fds, send_fds, socket, socketpair

from secondpost.config.file_readers import (
    ACME_READERS,
    ADVISORY_READERS,
    CERTIFICATE_READERS,
    LIST_READERS,
    NETWORKS_READERS,
    PASSWORD_READERS,
    REACH_READERS,
)
from secondpost.config.files import open_to_read
from secondpost.config.records import Config, NetworksFile, RecipientFile
from secondpost.mail.walls import INTERNET_ROLES
from secondpost.world.real.dns_servers import RESOLV_CONF
from secondpost.world.real.package_files import PACKAGE_FILES

NAMED_FILES = "SECONDPOST_FILES"  # the variable that names the role's descriptor
PATH_OCTETS_MAX = 8192
ANSWER_SECONDS_MAX = 10.0


class NamedFile(StrEnum):
    """In the words of docs/security.md."""

    CERTIFICATE = "certificate and key"
    PASSWORDS = "passwords of smart hosts"
    RECIPIENTS = "recipients files"
    DNS_SERVERS = "DNS servers of the machine"
    NETWORKS = "table of networks"
    AUTHORITY = "root and account key of the certificate authority"
    PACKAGES = "list of this machine's packages"
    REACH = "keys of measurement services"


# Deliver watches how long the certificate is valid.
READERS = {
    NamedFile.CERTIFICATE: CERTIFICATE_READERS | {"deliver"},
    NamedFile.PASSWORDS: PASSWORD_READERS,
    NamedFile.RECIPIENTS: LIST_READERS,
    NamedFile.DNS_SERVERS: INTERNET_ROLES,
    NamedFile.NETWORKS: NETWORKS_READERS,
    NamedFile.AUTHORITY: ACME_READERS,
    NamedFile.PACKAGES: ADVISORY_READERS,
    NamedFile.REACH: REACH_READERS,
}


def named_files(config: Config, role: str) -> frozenset[str]:
    """The paths that one role may read."""
    kinds = [kind for kind, readers in READERS.items() if role in readers]
    return frozenset(path for kind in kinds for path in _paths(config, kind) if path is not None)


def _paths(config: Config, kind: NamedFile) -> Iterable[str | None]:
    match kind:
        case NamedFile.CERTIFICATE:
            return config.tls.certificate, config.tls.key
        case NamedFile.PASSWORDS:
            return [route.password_file for route in config.routes]
        case NamedFile.RECIPIENTS:
            sources = [source for backup in config.backups for source in backup.recipients]
            return [source.path for source in sources if isinstance(source, RecipientFile)]
        case NamedFile.DNS_SERVERS:
            return [RESOLV_CONF]
        case NamedFile.NETWORKS:
            networks = config.watch.networks
            return [networks.path if isinstance(networks, NetworksFile) else None]
        case NamedFile.AUTHORITY:
            return config.acme.root, config.acme.key_file
        case NamedFile.PACKAGES:
            return PACKAGE_FILES if config.watch.advisories else ()
        case NamedFile.REACH:
            return config.reach.globalping_token_file, config.reach.atlas_key_file


class FilesForRole:
    """The supervisor's end. Make one in a running loop."""

    def __init__(self, end: socket, allowed: frozenset[str]) -> None:
        end.setblocking(False)
        self._end = end
        self.allowed = allowed
        asyncio.get_running_loop().add_reader(end.fileno(), self._answer)

    @property
    def descriptor(self) -> int:
        return self._end.fileno()

    def close(self) -> None:
        if self._end.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._end.fileno())
            self._end.close()

    def _answer(self) -> None:
        try:
            asked = self._end.recv(PATH_OCTETS_MAX)
        except BlockingIOError:
            return
        except OSError:  # the role died
            asked = b""
        if len(asked) == 0:
            self.close()
            return
        path = os.fsdecode(asked)
        if path not in self.allowed:
            self._say(errno.EACCES, [])
            return
        try:
            descriptor = open_to_read(path)
        except OSError as error:
            self._say(error.errno or errno.EIO, [])
            return
        try:
            self._say(0, [descriptor])
        finally:
            os.close(descriptor)

    def _say(self, number: int, descriptors: list[int]) -> None:
        with suppress(OSError):  # it died, or does not read its answers
            send_fds(self._end, [str(number).encode()], descriptors)


def files_pair() -> tuple[socket, socket]:
    """The supervisor's end, and the socket that the role inherits."""
    return socketpair(AF_UNIX, SOCK_SEQPACKET)


def inherited_files(environment: Mapping[str, str], config: Config) -> "AskedFiles | None":
    """The end of a role that has a supervisor."""
    descriptor = environment.get(NAMED_FILES)
    if descriptor is None:
        return None
    end = socket(fileno=int(descriptor))
    os.set_inheritable(end.fileno(), False)
    end.settimeout(ANSWER_SECONDS_MAX)
    return AskedFiles(end, config.store)


class AskedFiles:
    """The role's end."""

    def __init__(self, end: socket, store: str) -> None:
        self._end = end
        self._store = store
        self._one_at_a_time = threading.Lock()

    def open(self, path: str) -> int:
        """Have a named file opened, or open one in the store; blocks. Raises OSError."""
        if path.startswith(f"{self._store}/"):
            return open_to_read(path)
        with self._one_at_a_time:
            self._end.send(os.fsencode(path))
            answer, descriptors, _, _ = recv_fds(self._end, PATH_OCTETS_MAX, 1, MSG_CMSG_CLOEXEC)
        if len(descriptors) == 1:
            return descriptors[0]
        number = int(answer) if len(answer) > 0 else errno.EPIPE
        raise OSError(number, os.strerror(number), path)

    def close(self) -> None:
        self._end.close()
