"""Check files named in the configuration: they must exist and have the right content."""

import os

from secondpost.config.faults import Wrong, cut
from secondpost.config.forms import text
from secondpost.config.section import Form
from secondpost.mail.printable import printable

SECRET_OCTETS_MAX = 1_000
PEM_OCTETS_MAX = 1_000_000
PATH_CHARACTERS_MAX = 200  # as shown; shorter ones would cut off the name to be corrected


def path_from(folder: str, value: object) -> str:
    """An absolute path; relative paths start from the configuration's folder."""
    return os.path.normpath(os.path.join(folder, text(value)))


def pem_file(folder: str, holding: str) -> Form[str]:
    """The path of a file with a PEM block whose label ends with `holding`, such as CERTIFICATE or
    PRIVATE KEY.
    """

    def form(value: object) -> str:
        path = path_from(folder, value)
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


def secret_file(folder: str) -> Form[str]:
    """The path of a file with a secret on its first line."""

    def form(value: object) -> str:
        path = path_from(folder, value)
        if len(_content(path, SECRET_OCTETS_MAX).strip()) == 0:
            raise Wrong(f"{_named(path)} is empty", "write the password on its first line")
        return path

    return form


def _named(path: str) -> str:
    return f'"{cut(printable(path), PATH_CHARACTERS_MAX)}"'


def _content(path: str, octets_max: int) -> bytes:
    try:
        with open(path, "rb") as file:
            data = file.read(octets_max + 1)
    except OSError as error:
        raise Wrong(f"{_named(path)} cannot be read: {error.strerror}") from None
    if len(data) > octets_max:
        raise Wrong(f"{_named(path)} has more than {octets_max} octets")
    return data


def others_can_read(path: str) -> bool:
    """Whether users other than its owner and group can read a file."""
    try:
        return (os.stat(path).st_mode & 0o004) != 0
    except OSError:
        return False
