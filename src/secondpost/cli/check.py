"""secondpost check: what is wrong, before it costs mail."""

import click

from secondpost.cli.command import Command, Ending, Exit, Group
from secondpost.cli.documents import CheckDocument, FaultDocument
from secondpost.cli.opening import configuration_path
from secondpost.cli.screen import counted, say, say_json
from secondpost.config.faults import ConfigFaults, Fault
from secondpost.config.reading import read_config
from secondpost.config.warnings import warnings


@click.group(cls=Group)
def check() -> None:
    """Look for faults before they cost mail."""


@check.command("config", cls=Command)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
def check_config(context: click.Context, as_json: bool) -> None:
    """Read the configuration, and name every fault at once.

    Key, line, reason, and what would be right.
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
    told = [str(warning) for warning in warnings(config)]
    if as_json:
        say_json(CheckDocument(path, [], told))
        return
    for warning in told:
        say(f"warning: {warning}")
    say(f"{path}: no faults.")


def _fault(fault: Fault) -> FaultDocument:
    return FaultDocument(fault.key, fault.line if fault.line > 0 else None, fault.reason, fault.hint)
