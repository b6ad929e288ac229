"""secondpost upgrade --from a Debian package: the steps, and what is said about each.

The files of this command are replaced while it runs, so all that it needs after that is imported here.
"""

import os
import shutil
import sys
from collections.abc import Callable

from secondpost.cli.command import Ending, Exit
from secondpost.cli.upgrade_look import faults_of, rehearse
from secondpost.cli.upgrade_outcome import ended, refusals_shown
from secondpost.config.records import Config
from secondpost.processes.package_change import PROGRAM, PackageChange, StoreWayBack, change_package
from secondpost.processes.program_files import InstallRefused
from secondpost.processes.upgrade_journal import UpgradeJournal, UpgradeStep, UpgradeUnderWay
from secondpost.processes.upgrading import ChangeOutcome, VersionRefused
from secondpost.roles.installation import InstalledAs, this_installation
from secondpost.world.real.debian_package import (
    FOLDER,
    DebianPackage,
    PackageRefused,
    read_package,
    rebuild_installed,
    unpack,
)
from secondpost.world.real.programs import ProgramFailed

FOLDER_MODE = 0o755  # the rehearsal runs as the store's owner


def is_package(file: str) -> bool:
    return file.endswith(".deb")


def finish_package(tell: Callable[[str], None]) -> Exit:
    """Say where an upgrade that was cut short stands."""
    with refusals_shown():
        journal = _journal()
        with journal.alone():
            found = journal.read()
            if found is None:
                tell("No upgrade was cut short.")
                return Exit.DONE
            tell(f"An upgrade from {found.old} to {found.new} was cut short while it was {found.step}.")
            if found.step is not UpgradeStep.CHANGING:
                journal.end()
                tell(f"Version {found.old} is installed, as before.")
                return Exit.DONE
            tell(f"Go on: secondpost upgrade --from {found.new_folder}")
            tell(f"Or go back: dpkg --install {found.old_folder}")
            return Exit.NO


def upgrade_package(
    config: Config,
    file: str,
    *,
    is_older_allowed: bool,
    is_dry_run: bool,
    as_json: bool,
    tell: Callable[[str], None],
) -> Exit:
    with refusals_shown():
        if this_installation().installed_as is not InstalledAs.DEBIAN:
            raise InstallRefused("Secondpost is not installed as a Debian package here: use the wheel")
        if os.geteuid() != 0:
            raise InstallRefused("only root can install a Debian package: use sudo")
        journal = _journal()
        with journal.alone():
            try:
                package = read_package(file)
            except PackageRefused as refused:
                raise InstallRefused(str(refused)) from None
            found = journal.read()
            is_cut_short = found is not None and found.step is UpgradeStep.CHANGING
            if not (is_older_allowed or is_cut_short or package.is_newer):
                text = f"{file} is version {package.version}, and {package.installed} is installed"
                raise Ending(f"{text}; add --older if you mean it", Exit.NO)
            upgrade = _PackageUpgrade(config, package, journal, tell)
            outcome = upgrade.run(found if is_cut_short else None, is_dry_run=is_dry_run)
            return ended(config, package.installed, package.version, outcome, as_json=as_json)


def _journal() -> UpgradeJournal:
    os.makedirs(FOLDER, mode=FOLDER_MODE, exist_ok=True)
    return UpgradeJournal(FOLDER)


class _PackageUpgrade:
    def __init__(
        self, config: Config, package: DebianPackage, journal: UpgradeJournal, tell: Callable[[str], None]
    ) -> None:
        self._config = config
        self._package = package
        self._journal = journal
        self._tell = tell

    def run(self, cut_short: UpgradeUnderWay | None, *, is_dry_run: bool) -> ChangeOutcome | None:
        """None: it was rehearsed, and that was all."""
        self._tell("Looking at everything as it is, with check all.")
        # After a change that was cut short it is not known what was wrong before it.
        before = {} if cut_short is not None else faults_of(sys.executable, self._config)
        self._tell(f"Rehearsing version {self._package.version}.")
        place = os.path.join(FOLDER, "new")
        try:
            rehearsed = rehearse(unpack(self._package, place), self._config)
        finally:
            shutil.rmtree(place, ignore_errors=True)
        if len(rehearsed.why) > 0:
            return VersionRefused(rehearsed.why)
        if is_dry_run:
            return None
        if cut_short is None:
            self._tell(f"Keeping version {self._package.installed} as a package, for the way back.")
            former, way_back = rebuild_installed(FOLDER), rehearsed.way_back
        else:  # the store may be changed already, and then nothing here knows what it was
            former, way_back = cut_short.old_folder, StoreWayBack(None, loses_nothing=False)
        old = self._package.installed if cut_short is None else cut_short.old
        self._journal.write(
            UpgradeUnderWay(old, self._package.version, former, self._package.path, UpgradeStep.CHANGING)
        )
        change = PackageChange(self._package, former, os.path.abspath(self._config.path), way_back)
        try:
            outcome = change_package(change, lambda: self._new_faults(before), self._tell)
        except ProgramFailed as failed:
            text = f"version {old} could not be put back ({failed}); by hand: dpkg --install {former}"
            raise Ending(f"{text}, then systemctl start secondpost.target", Exit.UNREACHABLE) from None
        self._journal.end()
        return outcome

    def _new_faults(self, before: dict[tuple[str, str], str]) -> list[str]:
        found = faults_of(PROGRAM[0], self._config)
        return [f"{text} ({key[0]})" for key, text in found.items() if key not in before]
