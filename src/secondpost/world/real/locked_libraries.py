"""The libraries of a program that is being installed: those that are here in the version that its lock
names are copied, so that only what changed has to be fetched.
"""

import base64
import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, PackagePath, distribution

_LOCKED = re.compile(r"(?m)^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)")


def locked(lock: bytes) -> Iterator[tuple[str, str]]:
    """Name and version of each library, whether this machine needs it or not."""
    yield from _LOCKED.findall(lock.decode("utf-8", "replace"))


def copy_libraries(lock: bytes, folder: str) -> int:
    """Copy those that are installed for this process as they were built into the folder of modules;
    returns how many. What is not copied is left to pip. Raises OSError.
    """
    copied = 0
    for name, version in locked(lock):
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue
        files = [file for file in found.files or [] if ".." not in file.parts]
        if found.version == version and len(files) > 0 and all(map(_is_whole, files)):
            _copy(found, files, folder)
            copied += 1
    return copied


def _is_whole(file: PackagePath) -> bool:
    """Whether it is what was installed; bytecode and the record itself have no hash."""
    if file.hash is None:
        return True
    try:
        octets = file.read_binary()
    except OSError:
        return False
    digest = hashlib.new(file.hash.mode, octets).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == file.hash.value


def _copy(found: Distribution, files: list[PackagePath], folder: str) -> None:
    for file in files:
        source = str(found.locate_file(file))
        if not os.path.exists(source):
            continue  # bytecode that was never made
        target = os.path.join(folder, *file.parts)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy2(source, target)  # with its time, by which bytecode is valid
