"""secondpost upgrade --from: the steps, and what is said about each."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import click

from secondpost import __version__
from secondpost.cli.command import Ending, Exit
from secondpost.cli.opening import configuration
from secondpost.cli.screen import say, say_json
from secondpost.config.records import Config
from secondpost.owner.upgrade_from_document import UpgradeDocument
from secondpost.processes.program_files import (
    InstalledPrograms,
    InstallRefused,
    installed_programs,
)
from secondpost.processes.upgrade_journal import (
    SecondUpgrade,
    UpgradeJournal,
    UpgradeStep,
    UpgradeUnderWay,
)
from secondpost.processes.upgrade_talk import NoUpgrade
from secondpost.processes.upgrading import (
    ChangeOutcome,
    VersionKept,
    VersionRefused,
    VersionTakenBack,
    change_program,
    running_version,
)
from secondpost.setup.diagnosis import Grade
from secondpost.world.real.programs import ProgramFailed, answer_of

CHECK_SECONDS_MAX = 200.0  # less than a supervisor waits for the word
REHEARSE_SECONDS_MAX = 3600.0  # a large store is copied


@dataclass(frozen=True, slots=True)
class UpgradeOptions:
    """`wheels`: a folder with libraries; `is_older_allowed`: also the same version."""

    file: str
    wheels: str | None
    is_older_allowed: bool
    is_dry_run: bool
    as_json: bool


def upgrade_from(options: UpgradeOptions) -> Exit:
    config = configuration()
    tell: Callable[[str], None] = (lambda text: None) if options.as_json else say
    with _refusals_shown(), installed_programs() as programs:
        journal = UpgradeJournal(programs.folder)
        with journal.alone():
            _settle(config, programs, journal, tell)
            package = programs.read(options.file)
            if not options.is_older_allowed and not package.is_newer:
                text = f"{options.file} is version {package.version}, and {__version__} is installed"
                raise Ending(f"{text}; add --older if you mean it", Exit.NO)
            return _Upgrade(config, options, programs, journal, tell).run(package.version)


def finish_upgrade() -> Exit:
    config = configuration()
    with _refusals_shown(), installed_programs() as programs:
        journal = UpgradeJournal(programs.folder)
        with journal.alone():
            if not _settle(config, programs, journal, say):
                say("No upgrade was cut short.")
    return Exit.DONE


@contextmanager
def _refusals_shown() -> Iterator[None]:
    try:
        yield
    except SecondUpgrade:
        raise Ending("another upgrade goes on; wait until it has ended", Exit.UNREACHABLE) from None
    except (InstallRefused, NoUpgrade, ProgramFailed) as refused:
        raise Ending(f"{refused}; nothing was changed", Exit.NO) from None
    except OSError as error:
        raise Ending(f"{error.filename}: {error.strerror}; nothing was changed", Exit.UNREACHABLE) from None


def _settle(
    config: Config, programs: InstalledPrograms, journal: UpgradeJournal, tell: Callable[[str], None]
) -> bool:
    """Finish or take back an upgrade that was cut short; whether there was one.

    What the service runs decides; without one, the version that the command leads to.
    """
    found = journal.read()
    if found is None:
        return False
    running = running_version(config)
    is_new = programs.is_used(found.new_folder) if running is None else running == found.new
    now = found.new if is_new else found.old
    tell(f"An upgrade from {found.old} to {found.new} was cut short while it was {found.step}.")
    if found.step is UpgradeStep.CHANGING:
        programs.use(found.new_folder if is_new else found.old_folder)
    journal.end()
    tell(f"{'The service runs' if running is not None else 'Used is'} version {now}, and so it stays.")
    return True


class _Upgrade:
    def __init__(
        self,
        config: Config,
        options: UpgradeOptions,
        programs: InstalledPrograms,
        journal: UpgradeJournal,
        tell: Callable[[str], None],
    ) -> None:
        self._config = config
        self._options = options
        self._programs = programs
        self._journal = journal
        self._tell = tell

    def run(self, version: str) -> Exit:
        self._tell("Looking at everything as it is, with check all.")
        before = faults_of(sys.executable, self._config)
        self._note(version, UpgradeStep.INSTALLING)
        self._tell(f"Installing version {version} in {self._programs.folder_of(version)}.")
        files = self._programs.install(self._options.wheels)
        self._note(version, UpgradeStep.REHEARSING)
        self._tell(f"Rehearsing version {version}.")
        why = rehearse(files.rehearsed, self._config)
        if len(why) > 0 or self._options.is_dry_run:
            files.forget()
            self._journal.end()
            return self._end(version, VersionRefused(why) if len(why) > 0 else None)
        self._note(version, UpgradeStep.CHANGING)

        def new_faults() -> list[str]:
            found = faults_of(files.interpreters.program, self._config)
            return [
                f"{text} ({check})"
                for (check, subject), text in found.items()
                if (check, subject) not in before
            ]

        outcome = change_program(self._config, files, new_faults, self._tell)
        self._journal.end()
        return self._end(version, outcome)

    def _note(self, version: str, step: UpgradeStep) -> None:
        folders = self._programs.folder_of(__version__), self._programs.folder_of(version)
        self._journal.write(UpgradeUnderWay(__version__, version, *folders, step))

    def _end(self, new: str, outcome: ChangeOutcome | None) -> Exit:
        """Say how it ended. None: it was rehearsed, and that was all."""
        if self._options.as_json:
            say_json(_document(self._config.path, new, outcome))
        else:
            _say_outcome(new, outcome)
        is_well = outcome is None or (isinstance(outcome, VersionKept) and outcome.is_well)
        return Exit.DONE if is_well else Exit.NO


def faults_of(program: str, config: Config) -> dict[tuple[str, str], str]:
    """What `check all` of the version with this interpreter finds: check and subject, to the sentence.

    Raises ProgramFailed.
    """
    words = (program, "-P", "-m", "secondpost", "--config", os.path.abspath(config.path))
    said = answer_of(*words, "check", "all", "--json", seconds_max=CHECK_SECONDS_MAX)
    try:
        diagnoses = json.loads(said.printed)["diagnoses"]
        return {
            (one["check"], one["subject"]): one["text"] for one in diagnoses if one["grade"] == Grade.FAULT
        }
    except (ValueError, KeyError, TypeError):
        raise ProgramFailed(f"check all of {program}: {said.failure}") from None


def rehearse(program: str, config: Config) -> tuple[str, ...]:
    """Why the version with this interpreter would fail here; empty if it would not. Raises ProgramFailed."""
    words = (program, "-P", "-m", "secondpost", "--config", os.path.abspath(config.path))
    offered = answer_of(*words, "upgrade", "--help").printed
    way = ("upgrade", "--check") if "--check" in offered else ("check", "config")
    said = answer_of(*words, *way, seconds_max=REHEARSE_SECONDS_MAX)
    if said.code == Exit.DONE:
        return ()
    return tuple(line for line in (said.printed + said.failure).splitlines() if len(line.strip()) > 0)


def _say_outcome(new: str, outcome: ChangeOutcome | None) -> None:
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
            say(
                f"Version {new} was not taken. Version {__version__} serves as before, and no caller noticed."
            )
        case VersionTakenBack(why, missing):
            _say_reasons(why)
            say(f"Version {new} was not kept. Version {__version__} serves again; no mail was lost.")
            _say_missing(missing)


def _say_reasons(why: tuple[str, ...]) -> None:
    for each in why:
        click.echo(f"fault: {each}", err=True)


def _say_missing(missing: tuple[str, ...]) -> None:
    for role in missing:
        click.echo(
            f"fault: The {role} role does not serve; see the log, and secondpost alarms list", err=True
        )


def _document(path: str, new: str, outcome: ChangeOutcome | None) -> UpgradeDocument:
    match outcome:
        case None:
            return UpgradeDocument(path, __version__, new, "would", False, [], [])
        case VersionKept(running, missing, faults):
            return UpgradeDocument(path, __version__, new, "upgraded", running, list(faults), list(missing))
        case VersionRefused(why):
            return UpgradeDocument(path, __version__, new, "refused", True, list(why), [])
        case VersionTakenBack(why, missing):
            return UpgradeDocument(path, __version__, new, "back", True, list(why), list(missing))
