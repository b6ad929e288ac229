"""secondpost systemd: the units of the service."""

import os

import click

from secondpost.cli.command import Command, Ending, Exit
from secondpost.cli.opening import configuration
from secondpost.cli.screen import say
from secondpost.config.records import Config

WAYS = ("folder", "install", "remove", "verify", "prepare_store")


@click.command(cls=Command)
@click.option("--out", "folder", metavar="DIR", help="Write the files into this folder instead.")
@click.option("--install", is_flag=True, help="As root: write them below /etc, and start the service.")
@click.option("--remove", is_flag=True, help="As root: stop the service, and remove what --install wrote.")
@click.option("--verify", is_flag=True, help="Show how exposed systemd finds each unit.")
@click.option("--prepare-store", is_flag=True, help="As root: make the store ready for the roles' users.")
@click.pass_context
def systemd(context: click.Context, /, **ways: str | bool | None) -> None:
    """Print systemd units for this configuration, one per role, with sockets, users and folders."""
    chosen = [way for way in WAYS if ways[way] not in (None, False)]
    if len(chosen) > 1:
        raise click.UsageError("Use only one of --out, --install, --remove, --verify and --prepare-store.")
    config = configuration()
    match chosen:
        case ["install"]:
            from secondpost.cli.systemd_install import install

            install(config)
        case ["remove"]:
            from secondpost.cli.systemd_install import remove

            remove(config)
        case ["verify"]:
            context.exit(_verify(config))
        case ["prepare_store"]:
            _prepare(config)
        case ["folder"]:
            _write(config, str(ways["folder"]))
        case _:
            _print(config)


def _print(config: Config) -> None:
    from secondpost.processes.units import units_here

    for file in units_here(config):
        say(f"# /etc/{file.place}\n{file.text}")


def _write(config: Config, folder: str) -> None:
    from secondpost.processes.units import units_here
    from secondpost.world.real.systemd import write_files

    files = units_here(config)
    try:
        write_files(files, folder)
    except OSError as error:
        raise Ending(f"{error.filename} cannot be written: {error.strerror}", Exit.NO) from None
    for file in files:
        say(os.path.join(folder, file.place))


def _verify(config: Config) -> Exit:
    from secondpost.processes.units import units_here
    from secondpost.setup.unit_walls import EXPOSURE_MAX
    from secondpost.world.real.systemd import SystemdFailed, exposures, version

    bars = {f"secondpost-{role}.service": most for role, most in EXPOSURE_MAX.items()}
    try:
        say(version())
        found = exposures(units_here(config))
    except SystemdFailed as failed:
        raise Ending(f"{failed}", Exit.UNREACHABLE) from None
    for exposure in found:
        bar = bars.get(exposure.unit)
        say(f"{exposure.level:.1f}  {exposure.unit}{'' if bar is None else f' (at most {bar:.1f})'}")
    is_well = all(exposure.level <= bars.get(exposure.unit, exposure.level) for exposure in found)
    return Exit.DONE if is_well else Exit.NO


def _prepare(config: Config) -> None:
    from secondpost.processes.instance import SecondInstance
    from secondpost.processes.store_preparation import prepare_for_units
    from secondpost.processes.user import UserRefused
    from secondpost.store.ports import StoreFull, StoreRefused, StoreUnavailable
    from secondpost.world.ports import DiskFailed, DiskFull, KeyFault

    if os.geteuid() != 0:
        raise Ending("only root can give the store's folders to the roles' users: use sudo", Exit.UNREACHABLE)
    try:
        prepare_for_units(config)
    except (UserRefused, SecondInstance, StoreFull, StoreRefused, StoreUnavailable) as error:
        raise Ending(f"{error}", Exit.UNREACHABLE) from None
    except (DiskFailed, DiskFull, KeyFault) as error:
        raise Ending(f"{error}", Exit.UNREACHABLE) from None
