"""The files that the configuration names: they must exist and have the right content."""

import os
import posixpath
import pwd
import re
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import PurePath

from secondpost.config.faults import Wrong, cut
from secondpost.config.file_readers import CERTIFICATE_READERS, PASSWORD_READERS
from secondpost.config.forms import CONTROL, text
from secondpost.config.key import Form
from secondpost.mail.printable import printable

SECRET_OCTETS_MAX = 1_000
PEM_OCTETS_MAX = 1_000_000
CREDENTIAL_CHARACTERS_MAX = 100
NOT_IN_CREDENTIALS = re.compile(r"[^A-Za-z0-9._-]")
PATH_CHARACTERS_MAX = 200  # as shown; shorter ones would cut off the name to be corrected

# Opens a file, and returns its descriptor. Raises OSError.
OpenToRead = Callable[[str], int]


def open_to_read(path: str) -> int:
    # Non-blocking: opening a pipe without a writer would wait for one.
    return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)


@dataclass(frozen=True, slots=True)
class FilesBeside:
    """Where the files named in a configuration lie, and whether their content is checked.

    It is not when a configuration that was accepted before is read again: since then a file may
    have been broken, which must not stop a role that is started again. Nor is it for a `role` alone
    that does not use the file, and may not read it.
    """

    folder: str  # of the configuration; relative paths start there
    are_checked: bool = True
    role: str | None = None
    credentials: str | None = None  # the folder in which systemd gives secrets to this process alone

    def path(self, value: object) -> str:
        """An absolute path."""
        return os.path.normpath(os.path.join(self.folder, text(value)))

    def secret(self, value: object) -> str:
        """An absolute path; that of the copy which systemd made, if there is one."""
        path = self.path(value)
        copy = None if self.credentials is None else os.path.join(self.credentials, credential_name(path))
        return copy if copy is not None and os.path.exists(copy) else path

    def checks_for(self, readers: frozenset[str]) -> bool:
        """Whether to check a file that these roles read."""
        return self.are_checked and (self.role is None or self.role in readers)


def credential_name(path: str) -> str:
    """The name of a file among a unit's credentials (LoadCredential=): its own, made unique."""
    readable = NOT_IN_CREDENTIALS.sub("_", posixpath.basename(path))[:CREDENTIAL_CHARACTERS_MAX]
    return f"{readable}-{sha256(os.fsencode(path)).hexdigest()[:8]}"


def pem_file(beside: FilesBeside, holding: str, readers: frozenset[str] = CERTIFICATE_READERS) -> Form[str]:
    """The path of a file with a PEM block whose label ends with `holding`, such as CERTIFICATE or
    PRIVATE KEY. `readers`: the roles that read it.
    """

    def form(value: object) -> str:
        path = beside.secret(value)
        if not beside.checks_for(readers):
            return path
        lines = _content(path, PEM_OCTETS_MAX).splitlines()
        begun = (line for line in lines if line.startswith(b"-----BEGIN "))
        blocks = [line.rstrip() for line in begun if line.rstrip().endswith(f"{holding}-----".encode())]
        if len(blocks) == 0:
            raise Wrong(f"{_named(path)} has no PEM block {holding}", "it begins with -----BEGIN …-----")
        if (
            any(block.startswith(b"-----BEGIN ENCRYPTED") for block in blocks)
            or b"Proc-Type: 4,ENCRYPTED" in lines
        ):
            raise Wrong(f"{_named(path)} needs a passphrase, which no one can type", "store it without one")
        return path

    return form


class NotPermitted(Wrong):
    """The file exists, and this process may not read it."""


def secret_file(beside: FilesBeside, readers: frozenset[str] = PASSWORD_READERS) -> Form[str]:
    """The path of a file with a secret on its first line. `readers`: the roles that read it.

    A file that only others may read passes: commands run as other users than the service does.
    """

    def form(value: object) -> str:
        path = beside.secret(value)
        if beside.checks_for(readers):
            with suppress(NotPermitted):
                read_password(path)
        return path

    return form


def read_password(path: str, open_file: OpenToRead = open_to_read) -> str:
    """The first line of a file, without its end. Raises Wrong, which never quotes the content."""
    data = _content(path, SECRET_OCTETS_MAX, open_file)
    hint = "write the password on its first line"
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")  # Windows editors write that mark
    except UnicodeDecodeError:
        raise Wrong(f"{_named(path)} is not UTF-8 text", hint) from None
    password = text.partition("\n")[0].removesuffix("\r")
    if len(password.strip()) == 0:
        raise Wrong(f"{_named(path)} is empty", hint)
    if CONTROL.search(password) is not None:
        raise Wrong(f"{_named(path)} contains a control character", hint)
    return password


def _named(path: str) -> str:
    return f'"{cut(printable(path), PATH_CHARACTERS_MAX)}"'


def _content(path: str, octets_max: int, open_file: OpenToRead = open_to_read) -> bytes:
    try:
        return read_file(path, octets_max, open_file)
    except FileWrong as wrong:
        kind = NotPermitted if isinstance(wrong.__cause__, PermissionError) else Wrong
        raise kind(f"{_named(path)} {wrong}") from None


class FileWrong(Exception):
    """A file cannot be used. The text goes on after its name."""


def read_file(path: str, octets_max: int, open_file: OpenToRead = open_to_read) -> bytes:
    """Read a regular file. Raises FileWrong, caused by the OSError if there is one."""
    try:
        with open(open_file(path), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise FileWrong("is not a regular file")
            data = file.read(octets_max + 1)
    except OSError as error:
        raise FileWrong(f"cannot be read: {error.strerror}") from error
    except ValueError as error:  # a null character in the path
        raise FileWrong(f"cannot be read: {error}") from None
    if len(data) > octets_max:
        raise FileWrong(f"has more than {octets_max} octets")
    return data


def others_can_read(path: str) -> bool:
    """Whether users other than its owner and group can read a file."""
    try:
        return (os.stat(path).st_mode & 0o004) != 0
    except OSError:
        return False


def can_read(user: str, path: str) -> bool:
    """Whether a user of this machine, with no group but its own, can read a file; True if unknown."""
    try:
        person = pwd.getpwnam(user)
        in_folders = all(permits(person, os.stat(folder), 0o1) for folder in PurePath(path).parents)
        return person.pw_uid == 0 or (in_folders and permits(person, os.stat(path), 0o4))
    except (KeyError, OSError):
        return True


def permits(person: pwd.struct_passwd, file: os.stat_result, bit: int) -> bool:
    """Whether a mode bit, as for others, is set for this user; no further groups are looked at."""
    if file.st_uid == person.pw_uid:
        return (file.st_mode >> 6) & bit != 0
    return (file.st_mode >> (3 if file.st_gid == person.pw_gid else 0)) & bit != 0
