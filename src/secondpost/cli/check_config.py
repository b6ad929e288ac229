"""secondpost check config: the file, and the newsletters in the store that it should name."""

import asyncio
import os
import shlex
from collections.abc import Collection, Iterator

import click

from secondpost.cli.check_words import VERBOSE, show
from secondpost.cli.command import JSON, Command, Ending, Exit
from secondpost.cli.opening import become_owner, configuration_path, store_faults_shown
from secondpost.config.faults import ConfigFaults, Fault
from secondpost.config.reading import read_config
from secondpost.config.records import Config
from secondpost.config.versions import VERSION
from secondpost.config.warnings import warnings
from secondpost.owner.figures import counted
from secondpost.setup.diagnosis import Check, Diagnosis, Grade


@click.command("config", cls=Command)
@JSON
@VERBOSE
def config(as_json: bool, verbose: bool) -> None:
    """Read the configuration and report every fault at once.

    Each with its key, line, reason and remedy.
    """
    path = configuration_path()
    try:
        read = read_config(path)
    except ConfigFaults as faults:
        if not as_json:
            count = counted(len(faults.faults), "fault", "faults")
            raise Ending("\n".join([*faults.texts(), f"{path}: {count}"]), Exit.NO) from None
        show(path, [_fault(path, one) for one in faults.faults], as_json=True, verbose=verbose)
        return
    show(path, [*look_at_settings(read), *compare_names(read)], as_json=as_json, verbose=verbose)


def look_at_settings(config: Config, left_out: Collection[str] = ()) -> Iterator[Diagnosis]:
    """The warnings of a file that can be read, but of the keys `left_out`."""
    for warning in warnings(config):
        if warning.key in left_out:
            continue
        yield Diagnosis(Check.SETTING, warning.key, Grade.WARNING, f"{warning.key}: {warning.text}.")
    if config.version < VERSION:
        text = (
            f"The file is of version {config.version} of its format, and is read as well as ever; "
            f"`secondpost config migrate` writes it in version {VERSION}."
        )
        remedy = f"secondpost config migrate {shlex.quote(config.path)}"
        yield Diagnosis(Check.SETTING, "version", Grade.NOTE, text, remedy)
    yield Diagnosis(Check.SETTING, config.path, Grade.WELL, "The service understands every line.")


def compare_names(config: Config) -> Iterator[Diagnosis]:
    """Newsletters in the store that the file does not name. As root, becomes the store's owner."""
    from secondpost.newsletter.renaming import cut_short_text, left_behind_text, what_to_do_text
    from secondpost.roles.desk import has_newsletter_store, look_at_names

    check = Check.NEWSLETTER_NAME
    if not os.path.isdir(config.store):
        return
    try:
        become_owner(config)
        if not has_newsletter_store(config):
            return
        with store_faults_shown(config):
            found = asyncio.run(look_at_names(config))
    except Ending as ending:
        text = f"The newsletters in the store were not compared with the file: {ending.message}"
        yield Diagnosis(check, config.store, Grade.NOTE, text)
        return
    for one in found.left_behind:
        remedy = what_to_do_text(one, len(found.left_behind), found.unused)
        yield Diagnosis(check, config.path, Grade.FAULT, left_behind_text(one), remedy)
    for half in found.half_renamed:
        yield Diagnosis(check, config.path, Grade.FAULT, cut_short_text(half))
    if len(found.left_behind) + len(found.half_renamed) == 0:
        yield Diagnosis(check, config.path, Grade.WELL, "It names every newsletter in the store.")


def _fault(path: str, fault: Fault) -> Diagnosis:
    where = f"{path}:{fault.line}" if fault.line > 0 else path
    text = f"{fault.key}: {fault.reason}" if len(fault.key) > 0 else fault.reason
    return Diagnosis(Check.SETTING, where, Grade.FAULT, text, fault.hint)
