"""secondpost check: find what is wrong before it costs mail."""

import asyncio
import os
from collections.abc import Sequence

import click

from secondpost.cli.command import JSON, Command, Ending, Exit, Group
from secondpost.cli.opening import become_owner, configuration, configuration_path, store_faults_shown
from secondpost.cli.screen import say, say_json
from secondpost.config.faults import ConfigFaults, Fault
from secondpost.config.reading import read_config
from secondpost.config.records import Config
from secondpost.config.warnings import warnings
from secondpost.owner.documents import CheckDocument, DnsDocument, FaultDocument, RecordDocument
from secondpost.owner.figures import counted
from secondpost.setup.dns_records import Examined, RecordState


@click.group(cls=Group)
def check() -> None:
    """Find faults before they cost mail."""


@check.command("config", cls=Command)
@JSON
@click.pass_context
def check_config(context: click.Context, as_json: bool) -> None:
    """Read the configuration and report every fault at once.

    Each with its key, line, reason and remedy.
    """
    path = configuration_path()
    try:
        config = read_config(path)
    except ConfigFaults as faults:
        if not as_json:
            count = counted(len(faults.faults), "fault", "faults")
            raise Ending("\n".join([*faults.texts(), f"{path}: {count}"]), Exit.NO) from None
        say_json(CheckDocument(path, [_fault(fault) for fault in faults.faults], []))
        context.exit(Exit.NO)
    warned = [str(warning) for warning in warnings(config)]
    left = _left_behind(config)
    if isinstance(left, str):
        warned.append(left)
        left = ()
    if as_json:
        say_json(CheckDocument(path, [_fault(fault) for fault in left], warned))
    else:
        for warning in warned:
            say(f"warning: {warning}")
    if len(left) > 0:
        texts = [fault.text(path) for fault in left]
        raise Ending("\n".join([*texts, f"{path}: {counted(len(left), 'fault', 'faults')}"]), Exit.NO)
    if not as_json:
        say(f"{path}: no faults.")


def _left_behind(config: Config) -> Sequence[Fault] | str:
    """Newsletters in the store that the file does not name; or why the store was not opened."""
    from secondpost.newsletter.renaming import cut_short_text, left_behind_text, what_to_do_text
    from secondpost.roles.desk import has_newsletter_store, look_at_names

    try:
        if not os.path.isdir(config.store):
            return ()
        become_owner(config)
        if not has_newsletter_store(config):
            return ()
        with store_faults_shown(config):
            found = asyncio.run(look_at_names(config))
    except Ending as ending:
        return f"store: its newsletters were not compared with the file: {ending.message}"
    faults = [
        Fault("newsletter", 0, left_behind_text(one), what_to_do_text(one, found.unused))
        for one in found.left_behind
    ]
    return [*faults, *(Fault("newsletter", 0, cut_short_text(one)) for one in found.half_renamed)]


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


def _fault(fault: Fault) -> FaultDocument:
    return FaultDocument(fault.key, fault.line if fault.line > 0 else None, fault.reason, fault.hint)
