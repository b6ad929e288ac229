"""secondpost reload: have the running service take over a changed configuration."""

import asyncio
import os

import click

from secondpost.cli.command import JSON, Command, Ending, Exit
from secondpost.cli.opening import become_owner, configuration_path
from secondpost.cli.screen import say, say_json
from secondpost.config.faults import ConfigFaults
from secondpost.config.reading import read_config
from secondpost.config.records import Config
from secondpost.owner.reload_document import ReloadDocument, fault_document
from secondpost.processes.reload import NotReloaded, Reloaded


@click.command(cls=Command)
@click.option("--role", metavar="NAME", help="Only the supervisor that has this role alone.")
@JSON
@click.pass_context
def reload(context: click.Context, role: str | None, as_json: bool) -> None:
    """Have the running service read its configuration again.

    Everything is checked first: the file, the recipients files, the certificate, the keys. With a fault
    anywhere the service goes on as it was, and exit code 1 says so. Connections stay open.
    """
    path = configuration_path()
    try:
        # A unit's command to reload is not given its secrets: there the supervisor alone looks.
        outcome = _reloaded(read_config(path, are_files_checked=role is None), role)
    except ConfigFaults as faulty:
        outcome = NotReloaded(path, faulty.faults)
    if as_json:
        say_json(_document(outcome))
        context.exit(Exit.NO if isinstance(outcome, NotReloaded) else Exit.DONE)
    match outcome:
        case NotReloaded(path, faults):
            texts = [fault.text(path) for fault in faults]
            raise Ending("\n".join([*texts, f"{path}: not reloaded; the service goes on as it was"]), Exit.NO)
        case Reloaded(path, changes, warnings):
            for warning in warnings:
                say(f"warning: {warning}")
            for change in changes:
                say(change)
            nothing = "; no key has another value, and the files it names were read again"
            say(f"{path}: reloaded{nothing if len(changes) == 0 else ''}.")


def _reloaded(config: Config, role: str | None) -> Reloaded | NotReloaded:
    from secondpost.processes.reload_desk import NoService, ask_to_reload

    if role is None or os.geteuid() == 0:
        become_owner(config)
    try:
        return asyncio.run(ask_to_reload(config, role))
    except NoService:
        text = (
            f"no service that can reload runs with the store {config.store}; it reads {config.path} when it "
            "starts: systemctl restart secondpost.target"
        )
        raise Ending(text, Exit.UNREACHABLE) from None


def _document(outcome: Reloaded | NotReloaded) -> ReloadDocument:
    match outcome:
        case NotReloaded(path, faults):
            return ReloadDocument(path, False, [], [fault_document(fault) for fault in faults], [])
        case Reloaded(path, changes, warnings):
            return ReloadDocument(path, True, list(changes), [], list(warnings))
