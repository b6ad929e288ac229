"""secondpost upgrade --from: the steps, and what is said about each."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

from secondpost import __version__
from secondpost.cli.command import Ending, Exit
from secondpost.cli.opening import configuration
from secondpost.cli.screen import say
from secondpost.cli.upgrade_look import faults_of, rehearse
from secondpost.cli.upgrade_outcome import ended, refusals_shown
from secondpost.config.records import Config
from secondpost.processes.program_files import (
    InstalledPrograms,
    installed_programs,
)
from secondpost.processes.upgrade_journal import (
    UpgradeJournal,
    UpgradeStep,
    UpgradeUnderWay,
)
from secondpost.processes.upgrading import (
    ChangeOutcome,
    VersionRefused,
    change_program,
    running_version,
)


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
    with refusals_shown(), installed_programs() as programs:
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
    with refusals_shown(), installed_programs() as programs:
        journal = UpgradeJournal(programs.folder)
        with journal.alone():
            if not _settle(config, programs, journal, say):
                say("No upgrade was cut short.")
    return Exit.DONE


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
        why = rehearse(files.rehearsed, self._config).why
        if len(why) > 0 or self._options.is_dry_run:
            files.forget()
            self._journal.end()
            return self._ended(version, VersionRefused(why) if len(why) > 0 else None)
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
        return self._ended(version, outcome)

    def _note(self, version: str, step: UpgradeStep) -> None:
        folders = self._programs.folder_of(__version__), self._programs.folder_of(version)
        self._journal.write(UpgradeUnderWay(__version__, version, *folders, step))

    def _ended(self, new: str, outcome: ChangeOutcome | None) -> Exit:
        return ended(self._config, __version__, new, outcome, as_json=self._options.as_json)
