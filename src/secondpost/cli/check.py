"""secondpost check: find what is wrong before it costs mail."""

import asyncio
from collections.abc import Sequence

import click

from secondpost.cli.check_words import VERBOSE, show
from secondpost.cli.command import JSON, Command, Ending, Exit, Group
from secondpost.cli.opening import become_owner, configuration, user_of
from secondpost.cli.screen import say, say_json
from secondpost.config.records import Config
from secondpost.owner.documents import DnsDocument, RecordDocument
from secondpost.setup.diagnosis import Diagnosis
from secondpost.setup.dns_records import Examined, RecordState


@click.group(
    cls=Group, places={"config": "secondpost.cli.check_config", "delivery": "secondpost.cli.check_delivery"}
)
def check() -> None:
    """Find faults before they cost mail."""


@check.command("dns", cls=Command)
@JSON
@click.pass_context
def check_dns(context: click.Context, as_json: bool) -> None:
    """Show which DNS records the newsletters need, and which of them exist.

    Exit code 1 if one is missing or wrong.
    """
    config = configuration()
    if len(config.newsletters) == 0:
        raise Ending(f"{config.path} has no [[newsletter]]: there are no records to look for", Exit.NO)
    from secondpost.roles.desk import examine_dns
    from secondpost.world.ports import DiskFailed, KeyFault

    become_owner(config)
    try:
        records = asyncio.run(examine_dns(config))
    except KeyFault as fault:
        text = f"{fault}; the service makes missing keys when it starts: secondpost serve"
        raise Ending(text, Exit.UNREACHABLE) from None
    except DiskFailed as failed:
        raise Ending(f"{failed}; look into the kernel's log", Exit.UNREACHABLE) from None
    is_right = all(record.state is RecordState.RIGHT for record in records)
    if as_json:
        say_json(DnsDocument(is_right, [_record(record) for record in records]))
    else:
        _say_records(records)
    if not is_right:
        context.exit(Exit.NO)


@check.command("security", cls=Command)
@JSON
@VERBOSE
def check_security(as_json: bool, verbose: bool) -> None:
    """Look at this machine: clock, disk, files, user and libraries."""
    config = configuration()
    show(config.path, _security(config), as_json=as_json, verbose=verbose)


@check.command("all", cls=Command)
@JSON
@VERBOSE
def check_all(as_json: bool, verbose: bool) -> None:
    """Look at everything that can be seen from here."""
    from secondpost.cli.check_config import compare_names, look_at_settings

    config = configuration()
    machine = _security(config)  # first, since root sees more than the owner of the store
    found = [*look_at_settings(config), *compare_names(config), *machine]
    show(config.path, found, as_json=as_json, verbose=verbose)


def _security(config: Config) -> list[Diagnosis]:
    from secondpost.processes.user import FOLDERS
    from secondpost.roles.doctor import look_at_machine

    return list(look_at_machine(config, user_of(config), FOLDERS))


def _say_records(records: Sequence[Examined]) -> None:
    for record in records:
        say(f"{record.state}: {record.name} {record.type}: {record.why}")
        if record.state is not RecordState.RIGHT:
            say(f"  put there: {record.value}")
            say(f"  in a zone file: {record.zone_line}")
            for found in record.found:
                say(f"  found:     {found}")


def _record(record: Examined) -> RecordDocument:
    return RecordDocument(
        record.name, record.type, record.value, record.state.value, list(record.found), record.why
    )
