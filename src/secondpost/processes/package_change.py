"""Installs another Debian package of the program, restarts the units, looks at it, and goes back by itself.

The units restart, so conversations under way end, and senders come again. systemd keeps the ports of
receive and web open meanwhile, if they are units with a role each (setup/units): their callers wait.

Unlike a version from a wheel the new one takes mail while it is looked at, since a unit that has started
serves. So it goes back by itself only where that loses nothing: the schema of the store is the same, or
each of its changes can be undone in place.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from secondpost.processes.upgrading import ChangeOutcome, VersionKept, VersionRefused, VersionTakenBack
from secondpost.world.real.debian_package import DebianPackage, install, is_installed, running_unit
from secondpost.world.real.programs import ProgramFailed, output_of

PROGRAM = ("/usr/lib/secondpost/bin/python3", "-P", "-m", "secondpost")
ROLES_UNIT = "secondpost.target"  # of units with a role each
RESTART_SECONDS_MAX = 3600.0  # a large store may be brought up to date
STORE_SECONDS_MAX = 3600.0
LOOKS = 3  # a role may need a moment, and so may a neighbour that it asks
LOOK_PAUSE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class StoreWayBack:
    """What undoes the change of the schema. `schema`: the highest that a database has now; None if the
    new version changes nothing. `loses_nothing`: whether all is undone in place.
    """

    schema: int | None
    loses_nothing: bool


@dataclass(frozen=True, slots=True)
class PackageChange:
    """`former`: the path of the installed package, made again; `config`: the path of the configuration."""

    package: DebianPackage
    former: str
    config: str
    way_back: StoreWayBack


def change_package(
    change: PackageChange, new_faults: Callable[[], Sequence[str]], say: Callable[[str], None]
) -> ChangeOutcome:
    """`new_faults`: looks at everything as the installed version, and returns the faults that were not
    there before. Raises ProgramFailed if the former version cannot be put back either.
    """
    unit = running_unit()
    try:
        install(change.package.path)
    except ProgramFailed as failed:
        if not is_installed(change.package.installed):  # else dpkg has begun nothing, or undone it
            install(change.former)
        return VersionRefused((str(failed),))
    if unit is None:
        return VersionKept(was_running=False)
    say(f"Version {change.package.version} is installed. Restarting {unit}.")
    try:
        _restart(unit, change.config)
        faults = tuple(_looked(new_faults))
    except ProgramFailed as failed:
        faults = (str(failed),)
    if len(faults) == 0:
        return VersionKept(was_running=True)
    if not change.way_back.loses_nothing:
        return VersionKept(was_running=True, faults=faults)
    say(f"Version {change.package.version} has new faults. Going back to {change.package.installed}.")
    _go_back(change, unit)
    return VersionTakenBack(faults)


def _looked(new_faults: Callable[[], Sequence[str]]) -> Sequence[str]:
    found: Sequence[str] = ()
    for tried in range(LOOKS):
        if tried > 0:
            threading.Event().wait(LOOK_PAUSE_SECONDS)
        found = new_faults()
        if len(found) == 0:
            break
    return found


def _restart(unit: str, config: str) -> None:
    if unit == ROLES_UNIT:  # as the version that is installed writes them
        _of_installed(config, "systemd", "--install", seconds_max=RESTART_SECONDS_MAX)
    output_of("systemctl", "restart", unit, seconds_max=RESTART_SECONDS_MAX)


def _go_back(change: PackageChange, unit: str) -> None:
    """May be repeated."""
    if change.way_back.schema is not None:
        output_of("systemctl", "stop", unit, seconds_max=RESTART_SECONDS_MAX)
        way = ("upgrade", "--back", "--yes", "--to", str(change.way_back.schema))
        _of_installed(change.config, *way, seconds_max=STORE_SECONDS_MAX)
    install(change.former)
    _restart(unit, change.config)


def _of_installed(config: str, *words: str, seconds_max: float) -> None:
    output_of(*PROGRAM, "--config", config, *words, seconds_max=seconds_max)
