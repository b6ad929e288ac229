"""systemd's own programs, and the files below /etc that it reads."""

import os
import re
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from secondpost.setup.unit_file import SystemdFile
from secondpost.world.real.programs import ProgramFailed, output_of

ETC = "/etc"
BOOTED = "/run/systemd/system"  # sd_booted(3)
FILE_MODE = 0o644
RUN_SECONDS_MAX = 300.0
ANALYZE_SECONDS_MAX = 60.0
RELEASE_MIN = 249  # StopPropagatedFrom= of the sockets: without it they would stay when the service stops
RELEASE = re.compile(r"systemd ([0-9]+)\b")
OVERALL = re.compile(r"Overall exposure level for \S+: ([0-9.]+) ")


class SystemdFailed(Exception):
    """A program of systemd is missing or refused. The text is one sentence."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """`level`: from 0 to 10, as `systemd-analyze security` has it."""

    unit: str
    level: float


def is_booted() -> bool:
    return os.path.isdir(BOOTED)


def write_files(files: Sequence[SystemdFile], folder: str = ETC) -> tuple[SystemdFile, ...]:
    """Write those whose text is another; returns them. Raises OSError."""
    written = tuple(file for file in files if installed_text(file.place, folder) != file.text)
    for file in written:
        path = os.path.join(folder, file.place)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        unfinished = f"{path}~"
        with open(
            os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, FILE_MODE), "w"
        ) as out:
            out.write(file.text)
        os.rename(unfinished, path)
    return written


def installed_text(place: str, folder: str = ETC) -> str | None:
    """What stands there now; None if there is no such file or it cannot be read."""
    with (
        suppress(OSError),
        open(os.path.join(folder, place), encoding="utf-8", errors="replace") as text,
    ):
        return text.read()
    return None


def remove_files(places: Sequence[str], folder: str = ETC) -> tuple[str, ...]:
    """Remove the files that are there; returns their paths. Raises OSError."""
    paths = [os.path.join(folder, place) for place in places]
    there = tuple(path for path in paths if os.path.lexists(path))
    for path in there:
        os.unlink(path)
    return there


def run(*words: str) -> str:
    """Run one of systemd's programs; returns what it printed. Raises SystemdFailed."""
    try:
        return output_of(*words, seconds_max=RUN_SECONDS_MAX)
    except ProgramFailed as failed:
        raise SystemdFailed(str(failed)) from None


def version() -> str:
    """As it calls itself: "systemd 252 (252.39-1~deb12u2)". Raises SystemdFailed."""
    return run("systemd-analyze", "--version").partition("\n")[0].strip()


def release() -> int:
    """The number in its version, such as 252. Raises SystemdFailed."""
    said = version()
    found = RELEASE.match(said)
    if found is None:
        raise SystemdFailed(f"systemd says of its version: {said}")
    return int(found[1])


def exposures(files: Sequence[SystemdFile]) -> tuple[Exposure, ...]:
    """What systemd thinks of each service's walls. Raises SystemdFailed and OSError."""
    found = []
    with tempfile.TemporaryDirectory(prefix="secondpost-units-") as folder:
        write_files(files, folder)
        for file in files:
            if file.unit is not None and file.unit.endswith(".service"):
                path = os.path.join(folder, file.place)
                found.append(Exposure(file.unit, _level(file.unit, path)))
    return tuple(found)


def _level(unit: str, path: str) -> float:
    said = run("systemd-analyze", "security", "--offline=true", "--no-pager", path)
    level = OVERALL.search(said)
    if level is None:
        raise SystemdFailed(f"systemd-analyze says nothing of the exposure of {unit}")
    return float(level[1])
