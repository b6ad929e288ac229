"""secondpost check: find what is wrong before it costs mail."""

import asyncio
from collections.abc import Sequence

import click

from secondpost.cli.check_words import VERBOSE, show
from secondpost.cli.command import JSON, Command, Ending, Exit, Group
from secondpost.cli.opening import become_owner, configuration, user_of
from secondpost.config.records import Config
from secondpost.setup.diagnosis import Area, Diagnosis
from secondpost.setup.facts import Facts

PLACES = {"config": "secondpost.cli.check_config", "delivery": "secondpost.cli.check_delivery"}
HAVE_CHECKS = ("tls", "tls.key", "user")  # keys of warnings that a check of this machine says better


@click.group(cls=Group, places=PLACES)
def check() -> None:
    """Find faults before they cost mail."""


@check.command("dns", cls=Command)
@JSON
@VERBOSE
def check_dns(as_json: bool, verbose: bool) -> None:
    """Compare DNS with what this server and its newsletters need."""
    from secondpost.roles.zones import facts_of_machine

    config = configuration()
    known = facts_of_machine(config)  # first, since root sees more than the owner of the store
    become_owner(config)
    show(config.path, _dns(config, known), as_json=as_json, verbose=verbose)


@check.command("security", cls=Command)
@JSON
@VERBOSE
def check_security(as_json: bool, verbose: bool) -> None:
    """Look at this machine, its certificate, and what senders see of it."""
    from secondpost.cli.check_roads import look_at_network, surroundings_of

    config = configuration()
    here, machine = surroundings_of(config), look_at_machine(config)
    found = [*machine, *look_at_network(config, here, (Area.SECURITY,))]
    show(config.path, found, as_json=as_json, verbose=verbose)


@check.command("all", cls=Command)
@JSON
@VERBOSE
def check_all(as_json: bool, verbose: bool) -> None:
    """Look at everything that can be seen from here."""
    from secondpost.cli.check_config import compare_names, look_at_settings
    from secondpost.cli.check_roads import look_at_network, surroundings_of
    from secondpost.roles.zones import facts_of_machine

    config = configuration()
    # First, since root sees more than the owner of the store.
    known, here, machine = facts_of_machine(config), surroundings_of(config), look_at_machine(config)
    found = [*look_at_settings(config, HAVE_CHECKS), *compare_names(config), *machine]
    found += look_at_network(config, here, tuple(Area), known)
    show(config.path, found, as_json=as_json, verbose=verbose)


def look_at_machine(config: Config) -> list[Diagnosis]:
    from secondpost.processes.units import installed_units, units_here
    from secondpost.processes.user import FOLDERS, is_divided
    from secondpost.roles.doctor_machine import examine_here
    from secondpost.setup.unit_look import examine_units

    units = examine_units(units_here(config), installed_units(config))
    return [*examine_here(config, user_of(config), FOLDERS, is_divided=is_divided(config.store)), *units]


def _dns(config: Config, known: Facts) -> Sequence[Diagnosis]:
    from secondpost.roles.zones import examine_dns
    from secondpost.world.ports import DiskFailed, KeyFault

    try:
        return asyncio.run(examine_dns(config, known))
    except KeyFault as fault:
        text = f"{fault}; the service makes missing keys when it starts: secondpost serve"
        raise Ending(text, Exit.UNREACHABLE) from None
    except DiskFailed as failed:
        raise Ending(f"{failed}; look into the kernel's log", Exit.UNREACHABLE) from None
