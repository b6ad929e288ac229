"""How `secondpost upgrade --from` ends: in words, as a document, and as an exit code."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from secondpost.cli.command import Ending, Exit
from secondpost.cli.screen import say, say_json
from secondpost.config.records import Config
from secondpost.owner.upgrade_from_document import UpgradeDocument
from secondpost.processes.program_files import InstallRefused
from secondpost.processes.upgrade_journal import SecondUpgrade
from secondpost.processes.upgrade_talk import NoUpgrade
from secondpost.processes.upgrading import ChangeOutcome, VersionKept, VersionRefused, VersionTakenBack
from secondpost.world.real.programs import ProgramFailed


@contextmanager
def refusals_shown() -> Iterator[None]:
    try:
        yield
    except SecondUpgrade:
        raise Ending("another upgrade goes on; wait until it has ended", Exit.UNREACHABLE) from None
    except (InstallRefused, NoUpgrade, ProgramFailed) as refused:
        raise Ending(f"{refused}; nothing was changed", Exit.NO) from None
    except OSError as error:
        raise Ending(f"{error.filename}: {error.strerror}; nothing was changed", Exit.UNREACHABLE) from None


def ended(config: Config, old: str, new: str, outcome: ChangeOutcome | None, *, as_json: bool) -> Exit:
    """Say how it ended. None: it was rehearsed, and that was all."""
    if as_json:
        say_json(_document(config.path, old, new, outcome))
    else:
        _say_outcome(old, new, outcome)
    is_well = outcome is None or (isinstance(outcome, VersionKept) and outcome.is_well)
    return Exit.DONE if is_well else Exit.NO


def _say_outcome(old: str, new: str, outcome: ChangeOutcome | None) -> None:
    match outcome:
        case None:
            say(f"Version {new} can be installed and would start here. Nothing was changed.")
        case VersionKept(True, missing, faults):
            _say_reasons(faults)
            say(f"The service runs version {new}.")
            if len(faults) > 0:
                say("It has taken mail since, so it does not go back by itself (docs/operations.md).")
            _say_missing(missing)
        case VersionKept(False):
            say(
                f"Version {new} is installed. No service runs here; the next one that starts is that version."
            )
        case VersionRefused(why):
            _say_reasons(why)
            say(f"Version {new} was not taken. Version {old} serves as before, and no caller noticed.")
        case VersionTakenBack(why, missing):
            _say_reasons(why)
            say(f"Version {new} was not kept. Version {old} serves again; no mail was lost.")
            _say_missing(missing)


def _say_reasons(why: tuple[str, ...]) -> None:
    for each in why:
        click.echo(f"fault: {each}", err=True)


def _say_missing(missing: tuple[str, ...]) -> None:
    for role in missing:
        click.echo(
            f"fault: The {role} role does not serve; see the log, and secondpost alarms list", err=True
        )


def _document(path: str, old: str, new: str, outcome: ChangeOutcome | None) -> UpgradeDocument:
    match outcome:
        case None:
            return UpgradeDocument(path, old, new, "would", False, [], [])
        case VersionKept(running, missing, faults):
            return UpgradeDocument(path, old, new, "upgraded", running, list(faults), list(missing))
        case VersionRefused(why):
            return UpgradeDocument(path, old, new, "refused", True, list(why), [])
        case VersionTakenBack(why, missing):
            return UpgradeDocument(path, old, new, "back", True, list(why), list(missing))
