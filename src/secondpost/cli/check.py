"""secondpost check: find what is wrong before it costs mail."""

import asyncio
from collections.abc import Sequence

import click

from secondpost.cli.check_words import VERBOSE, show
from secondpost.cli.command import JSON, Command, Ending, Exit, Group
from secondpost.cli.mail_servers import MailServers
from secondpost.cli.opening import (
    become_owner,
    configuration,
    configuration_if_any,
    store_faults_shown,
    user_of,
)
from secondpost.config.records import Config
from secondpost.setup.bulk_rules import RuleStanding
from secondpost.setup.diagnosis import Area, Diagnosis
from secondpost.setup.facts import Facts

PLACES = {"config": "secondpost.cli.check_config", "delivery": "secondpost.cli.check_delivery"}
NOT_CONFIGURED = "no configuration"  # instead of its path
HAVE_CHECKS = ("tls", "tls.key", "user")  # keys of warnings that a check of this machine says better


@click.group(cls=Group, places=PLACES)
def check() -> None:
    """Find faults before they cost mail."""


@check.command("dns", cls=Command)
@JSON
@VERBOSE
def check_dns(as_json: bool, verbose: bool) -> None:
    """Compare DNS with what this server and its newsletters need.

    With a newsletter, also show how it stands with the rules that Google, Yahoo and Microsoft have for
    bulk mail: trial mails are composed, signed and not sent, and the link to unsubscribe is followed.
    """
    from secondpost.roles.zones import facts_of_machine

    config = configuration()
    known = facts_of_machine(config)  # first, since root sees more than the owner of the store
    become_owner(config)
    found = _dns(config, known)
    show(config.path, found, as_json=as_json, verbose=verbose, standings=_bulk_rules(config, found))


@check.command("security", cls=Command)
@click.option(
    "--also",
    type=MailServers(),
    default=(),
    help="Mail servers of this machine to look at too, such as postfix,exim.",
)
@click.option(
    "--advisories",
    "files",
    type=click.Path(exists=True),
    help="A file or folder of advisories in OSV's form; nothing is asked.",
)
@click.option("--ask", is_flag=True, help="Ask for advisories now, even if [watch] does not.")
@JSON
@VERBOSE
def check_security(also: tuple[str, ...], files: str | None, ask: bool, as_json: bool, verbose: bool) -> None:
    """Look at this machine, its certificate, what senders see of it, and known holes."""
    from secondpost.cli.check_advisories import AdvisoryWish, look_at_advisories, runs_here
    from secondpost.cli.check_roads import look_at_network, surroundings_of

    if ask and files is not None:
        raise click.UsageError("--ask asks a service, and --advisories reads files instead: choose one")
    wish = AdvisoryWish(also, files, ask)
    # Other mail servers can be looked at where Secondpost is not set up.
    config = configuration_if_any() if len(also) > 0 and files is not None else configuration()
    if config is None:
        found = look_at_advisories(None, runs_here(None, wish))
        show(NOT_CONFIGURED, found, as_json=as_json, verbose=verbose)
        return
    # First, since root sees more than the owner of the store.
    here, machine = surroundings_of(config), look_at_machine(config)
    runs = runs_here(config, wish)
    found = [*machine, *look_at_network(config, here, (Area.SECURITY,))]
    show(config.path, [*found, *look_at_advisories(config, runs)], as_json=as_json, verbose=verbose)


@check.command("all", cls=Command)
@JSON
@VERBOSE
def check_all(as_json: bool, verbose: bool) -> None:
    """Look at everything that can be seen from here."""
    from secondpost.cli.check_advisories import AdvisoryWish, look_at_advisories, runs_here
    from secondpost.cli.check_config import compare_names, look_at_settings
    from secondpost.cli.check_roads import look_at_network, surroundings_of
    from secondpost.roles.zones import facts_of_machine

    config = configuration()
    # First, since root sees more than the owner of the store.
    known, here, machine = facts_of_machine(config), surroundings_of(config), look_at_machine(config)
    runs = runs_here(config, AdvisoryWish())
    found = [*look_at_settings(config, HAVE_CHECKS), *compare_names(config), *machine]
    found += look_at_network(config, here, tuple(Area), known)
    found += look_at_advisories(config, runs)
    show(config.path, found, as_json=as_json, verbose=verbose, standings=_bulk_rules(config, found))


def look_at_machine(config: Config) -> list[Diagnosis]:
    from secondpost.processes.units import installed_units, units_here
    from secondpost.processes.user import FOLDERS, is_divided
    from secondpost.roles.doctor_machine import examine_here
    from secondpost.setup.unit_look import examine_units

    units = examine_units(units_here(config), installed_units(config))
    return [*examine_here(config, user_of(config), FOLDERS, is_divided=is_divided(config.store)), *units]


def _bulk_rules(config: Config, found: Sequence[Diagnosis]) -> Sequence[RuleStanding]:
    """How each rule stands; empty without a newsletter, or without keys to sign a trial mail with."""
    from secondpost.roles.bulk_look import look_at_bulk_rules
    from secondpost.world.ports import KeyFault

    with store_faults_shown(config):
        try:
            return asyncio.run(look_at_bulk_rules(config, found))
        except KeyFault:
            return ()  # the checks say so


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
