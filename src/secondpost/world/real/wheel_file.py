"""What a wheel of Secondpost says about itself, read before anything of it is installed."""

import zipfile
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from email.policy import compat32

NAME = "secondpost"
LOCK = f"{NAME}/requirements.install.lock"  # the libraries that it was tested with
MEMBER_OCTETS_MAX = 16 * 1024 * 1024


class WheelRefused(Exception):
    """The file is no wheel of Secondpost, or a damaged one. The text says why."""


@dataclass(frozen=True, slots=True)
class WheelFile:
    """`lock`: its requirements file, with hashes."""

    path: str
    version: str
    lock: bytes


def read_wheel(path: str) -> WheelFile:
    """Raises WheelRefused."""
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
            if damaged is not None:
                raise WheelRefused(f"{path} is damaged: {damaged}; fetch it again")
            facts = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
            if len(facts) != 1:
                raise WheelRefused(f"{path} is no wheel: it has no metadata")
            metadata = BytesHeaderParser(policy=compat32).parsebytes(_member(archive, path, facts[0]))
            name, version = str(metadata.get("Name", "")), str(metadata.get("Version", ""))
            if name.lower() != NAME:
                raise WheelRefused(
                    f"{path} is a wheel of {name or 'something without a name'}, not of Secondpost"
                )
            if LOCK not in archive.namelist():
                raise WheelRefused(
                    f"{path} does not say which libraries it was tested with (version {version} is too old "
                    "for this command); install it by hand, as docs/operations.md says"
                )
            return WheelFile(path, version, _member(archive, path, LOCK))
    except OSError as error:
        raise WheelRefused(f"{path} cannot be read: {error.strerror}") from None
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, RuntimeError) as error:
        raise WheelRefused(f"{path} is no wheel: {error}") from None


def _member(archive: zipfile.ZipFile, path: str, name: str) -> bytes:
    if archive.getinfo(name).file_size > MEMBER_OCTETS_MAX:
        raise WheelRefused(f"{path} is no wheel of Secondpost: {name} is too large")
    return archive.read(name)
