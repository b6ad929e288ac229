"""secondpost systemd --install and --remove."""

import os
from collections.abc import Sequence

from secondpost.cli.command import Ending, Exit
from secondpost.cli.screen import say
from secondpost.config.records import Config
from secondpost.processes.instance import SecondInstance
from secondpost.processes.rooms import give_back_rooms
from secondpost.processes.units import places_of_units, units_here
from secondpost.processes.user import UserRefused, commands_user, is_divided
from secondpost.setup.unit_file import SystemdFile, section_of
from secondpost.setup.units import SOCKET_SECTION, TARGET
from secondpost.world.ports import DiskFailed, DiskFull
from secondpost.world.real import systemd


def install(config: Config) -> None:
    """Write the units, make users and folders, and start what is not running yet."""
    _need_root_and_systemd("--install")
    files = units_here(config)
    try:
        stale = _stale(config, files)
        _stop(stale)
        systemd.remove_files(stale)
        sockets = _changed_sockets(files)
        written = systemd.write_files(files)
        was_active = _is_active()
        systemd.run("systemd-sysusers", f"{systemd.ETC}/sysusers.d/secondpost.conf")
        systemd.run("systemd-tmpfiles", "--create", f"{systemd.ETC}/tmpfiles.d/secondpost.conf")
        systemd.run("systemctl", "daemon-reload")
        systemd.run("systemctl", "enable", TARGET)
        systemd.run("systemctl", "start", TARGET)
        if was_active and len(sockets) > 0:  # a restart of the target leaves its ports as they are
            systemd.run("systemctl", "restart", *sockets, TARGET)
    except systemd.SystemdFailed as failed:
        raise Ending(f"{failed}", Exit.UNREACHABLE) from None
    except OSError as error:
        raise Ending(f"{error.filename} cannot be written: {error.strerror}", Exit.UNREACHABLE) from None
    for file in written:
        say(os.path.join(systemd.ETC, file.place))
    if len(written) == 0:
        say("The units are as this version writes them.")
    elif was_active and len(sockets) > 0:
        say(f"The ports are others now, so {TARGET} was restarted.")
    elif was_active:
        say(f"The service runs with its former units until: systemctl restart {TARGET}")
    else:
        say(f"{TARGET} is started, and starts with this machine.")


def remove(config: Config) -> None:
    """Stop the service, remove the files, and give the store back to one user; users and configuration
    stay.
    """
    _need_root_and_systemd("--remove")
    places = places_of_units(config)
    try:
        _stop(places)
        removed = systemd.remove_files(places)
        systemd.run("systemctl", "daemon-reload")
    except systemd.SystemdFailed as failed:
        raise Ending(f"{failed}", Exit.UNREACHABLE) from None
    except OSError as error:
        raise Ending(f"{error.filename} cannot be removed: {error.strerror}", Exit.UNREACHABLE) from None
    for path in removed:
        say(f"removed {path}")
    if is_divided(config.store):
        _give_back(config)
    say(f"The mail in {config.store}, the users and {config.path} are as they were.")


def _give_back(config: Config) -> None:
    """So that `secondpost serve` can work with the store."""
    try:
        person = commands_user(config)
        give_back_rooms(config, person)
    except (UserRefused, SecondInstance, DiskFull, DiskFailed) as error:
        text = f"the units are removed, but the store still belongs to the roles' users: {error}"
        raise Ending(text, Exit.UNREACHABLE) from None
    say(f"{config.store} and all that is in it belongs to {person.name}.")


def _stale(config: Config, files: Sequence[SystemdFile]) -> tuple[str, ...]:
    """Files of roles that the configuration needs no more."""
    wanted = {file.place for file in files}
    return tuple(place for place in places_of_units(config) if place not in wanted)


def _changed_sockets(files: Sequence[SystemdFile]) -> list[str]:
    """The units that have opened ports, and shall open them in another way."""
    found = []
    for file in files:
        installed = systemd.installed_text(file.place)
        if (
            file.unit is not None
            and installed is not None
            and section_of(file.text, SOCKET_SECTION) != section_of(installed, SOCKET_SECTION)
        ):
            found.append(file.unit)
    return found


def _stop(places: Sequence[str]) -> None:
    """Stop and disable the units among these files that are installed; the target first."""
    there = [place for place in places if os.path.exists(os.path.join(systemd.ETC, place))]
    units = [place.rpartition("/")[2] for place in there if place.startswith("systemd/")]
    if TARGET in units:
        systemd.run("systemctl", "disable", TARGET)
    if len(units) > 0:
        systemd.run("systemctl", "stop", *units)


def _is_active() -> bool:
    try:
        systemd.run("systemctl", "is-active", TARGET)
    except systemd.SystemdFailed:
        return False
    return True


def _need_root_and_systemd(option: str) -> None:
    if os.geteuid() != 0:
        raise Ending(f"only root can use {option}: sudo secondpost systemd {option}", Exit.UNREACHABLE)
    if not systemd.is_booted():
        text = "systemd does not run this machine; secondpost systemd --out DIR writes the files elsewhere"
        raise Ending(text, Exit.UNREACHABLE)
    try:
        number = systemd.release()
    except systemd.SystemdFailed as failed:
        raise Ending(f"{failed}", Exit.UNREACHABLE) from None
    if number < systemd.RELEASE_MIN:
        text = f"this machine has systemd {number}, and the units need {systemd.RELEASE_MIN} or later"
        raise Ending(f"{text}; without them: secondpost serve", Exit.UNREACHABLE)
