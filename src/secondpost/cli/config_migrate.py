"""secondpost config migrate: rewrite a file of an earlier version of the format."""

import os
import sys
from enum import StrEnum

import click

from secondpost.cli.command import JSON, Command, Ending, Exit
from secondpost.cli.init_dialogue import NOTHING_WRITTEN
from secondpost.cli.init_file import confirm_changes, dated, difference, say_difference
from secondpost.cli.opening import configuration_path, write_faults_shown
from secondpost.cli.screen import say, say_json, say_wrapped
from secondpost.config.faults import ConfigFaults
from secondpost.config.migrating import MigratedText, NotMigrated, migrated
from secondpost.config.reading import parse_config, read_octets
from secondpost.config.records import Config
from secondpost.config.versions import VERSION
from secondpost.owner.figures import counted
from secondpost.owner.migration_document import MigrationDocument, migration_document, step_text, why_text
from secondpost.roles.first_look import FileRefused, replace_file


class FileState(StrEnum):
    """What became of the file."""

    CURRENT = "current"  # it was of today's version
    EARLIER = "earlier"  # it stays as it is, with --check
    MIGRATED = "migrated"


@click.command("migrate", cls=Command)
@click.argument("file", metavar="[FILE]", required=False)
@click.option("--check", "checks", is_flag=True, help="Show what would change, and write nothing.")
@click.option("--yes", "says_yes", is_flag=True, help="Write the file without asking.")
@JSON
@click.pass_context
def migrate(context: click.Context, file: str | None, checks: bool, says_yes: bool, as_json: bool) -> None:
    """Rewrite a configuration of an earlier version in today's form.

    Only lines that the newer version changed are touched: comments, order and spacing stay. Shows the
    difference and what it means, asks, and keeps the earlier file beside the new one. Without FILE, it is
    the configuration that commands use here. With --check, exit code 1 means that the file would change.
    """
    path = os.path.abspath(configuration_path() if file is None else file)
    data, config = _read(path)
    result = _migrated(config)
    if len(result.steps) == 0:
        if as_json:
            say_json(_document(config, result, FileState.CURRENT, None))
        else:
            say(f"{path} is of version {VERSION}, today's: nothing to do.")
        return
    if not as_json:
        _say_guide(config, result)
    if checks:
        if as_json:
            say_json(_document(config, result, FileState.EARLIER, None))
        context.exit(Exit.NO)
    asks = not as_json and sys.stdin.isatty() and sys.stdout.isatty()
    confirm_changes(asks=asks, says_yes=says_yes)
    kept = _replaced(path, data, result.text.encode())
    if as_json:
        say_json(_document(config, result, FileState.MIGRATED, kept))
    else:
        say(f"Wrote {path}; the earlier file is {kept}.")


def _read(path: str) -> tuple[bytes, Config]:
    """The file's octets and what they say. The files that it names are not looked at."""
    try:
        data = read_octets(path)
        return data, parse_config(data, path, are_files_checked=False)
    except ConfigFaults as faults:
        count = counted(len(faults.faults), "fault", "faults")
        text = "\n".join([*faults.texts(), f"{path}: {count}; {NOTHING_WRITTEN}"])
        raise Ending(text, Exit.CONFIGURATION) from None


def _migrated(config: Config) -> MigratedText:
    """The new text; it is refused here unless it reads as the old one does."""
    try:
        result = migrated(config.text.decode(), config.version)
        again = parse_config(result.text.encode(), config.path, are_files_checked=False)
    except NotMigrated as refused:
        text = f"{config.path}:{refused.line}: {refused}; {NOTHING_WRITTEN}"
        raise Ending(text, Exit.NO) from None
    except ConfigFaults as faults:
        text = "\n".join(
            [*faults.texts(), f"{config.path}: the new file would have these faults, by a mistake"]
        )
        raise Ending(f"{text} of this program; {NOTHING_WRITTEN}", Exit.NO) from None
    if again != config:
        text = f"{config.path}: the new file would not say the same, by a mistake of this program"
        raise Ending(f"{text}; {NOTHING_WRITTEN}", Exit.NO)
    return result


def _say_guide(config: Config, result: MigratedText) -> None:
    say_difference(config.path, config.text.decode(), result.text)
    say(f"\nFrom version {config.version} to version {VERSION}:")
    for why in dict.fromkeys(why_text(step) for step in result.steps):
        if len(why) > 0:
            say(f"  {why}:")
        for step in result.steps:
            if why_text(step) == why:
                say_wrapped(step_text(step), "    " if len(why) > 0 else "  ", "      ")
    say("")


def _replaced(path: str, read: bytes, data: bytes) -> str:
    """Write the file; the name under which the earlier one is kept, beside it."""
    target = os.path.realpath(path)
    kept = dated(target)
    with write_faults_shown(path):
        try:
            if read_octets(path) != read:
                raise Ending(f"{path} was changed meanwhile; {NOTHING_WRITTEN}: try again", Exit.NO)
            replace_file(path, data, kept)
        except ConfigFaults as faults:
            raise Ending(f"{faults}; {NOTHING_WRITTEN}", Exit.NO) from None
        except FileRefused as refused:
            raise Ending(f"{refused}; {NOTHING_WRITTEN}", Exit.NO) from None
    return kept


def _document(config: Config, result: MigratedText, state: FileState, kept: str | None) -> MigrationDocument:
    lines = list(difference(config.path, config.text.decode(), result.text))
    return migration_document(config, result, state.value, kept, lines)
