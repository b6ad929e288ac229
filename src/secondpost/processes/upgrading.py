"""Has the running service take another version of the program, looks at it, and keeps it or goes back.

The supervisors decide nothing: they go back unless the command says to keep the new version, also when this
process is killed (succession).
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Protocol

from secondpost.config.records import Config
from secondpost.processes.reload import ORDER
from secondpost.processes.reload_desk import desk_name
from secondpost.processes.upgrade_talk import NoUpgrade, Upgrade, UpgradeAnswer, UpgradeState, UpgradeTalk
from secondpost.world.real.disk import RealDisk

STANDING_TRIES = 20
ABSENT_TRIES = 4  # a supervisor that becomes another program does not answer for a moment
STANDING_PAUSE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class VersionKept:
    """The new version is used. `was_running`: whether a service took it; otherwise its next start does.
    `missing`: roles that do not serve; `faults`: found when there was no way back any more.
    """

    was_running: bool
    missing: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def is_well(self) -> bool:
        return len(self.missing) == len(self.faults) == 0


@dataclass(frozen=True, slots=True)
class VersionRefused:
    """The service did not take the new version, and did not notice anything."""

    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VersionTakenBack:
    """The service had taken the new version, and runs the former one again. `missing`: roles that do not
    serve.
    """

    why: tuple[str, ...]
    missing: tuple[str, ...] = ()


ChangeOutcome = VersionKept | VersionRefused | VersionTakenBack


class ProgramFiles(Protocol):
    """The files of both versions."""

    @property
    def interpreters(self) -> Upgrade: ...

    def use_new(self) -> None:
        """From now on commands, and services that start, are of the new version. Raises OSError."""

    def use_old(self) -> None:
        """As it was before. Raises OSError."""


def change_program(
    config: Config, files: ProgramFiles, new_faults: Callable[[], Sequence[str]], say: Callable[[str], None]
) -> ChangeOutcome:
    """`new_faults`: looks at everything as the new version, and returns the faults that were not there
    before. Raises OSError.
    """
    with ExitStack() as talking:
        talks = _talks(config, talking)
        if len(talks) == 0:
            faults = tuple(new_faults())
            if len(faults) > 0:
                return VersionRefused(faults)
            files.use_new()
            return VersionKept(was_running=False)
        begun: list[UpgradeTalk] = []
        is_held = False
        try:
            for talk in talks:
                answer = talk.begin(files.interpreters)
                if answer.state not in (UpgradeState.SERVING, UpgradeState.HELD):
                    return _not_begun(begun, answer)
                begun.append(talk)
                is_held = is_held or answer.state is UpgradeState.HELD
                say(_words(answer))
            faults = tuple(new_faults())
            if len(faults) == 0:
                missing = _kept(begun, files)
                # Only now does a service that was held answer its callers.
                return VersionKept(True, missing, tuple(new_faults()) if is_held else ())
        except NoUpgrade as lost:
            return _taken_back(begun, (str(lost),))
        return _taken_back(begun, faults)


def running_version(config: Config) -> str | None:
    """Of the service, once no change is under way there; None if none runs."""
    for tried in range(STANDING_TRIES):
        with ExitStack() as talking:
            talks = _talks(config, talking)
            if len(talks) == 0 and tried >= ABSENT_TRIES:
                return None
            with suppress(NoUpgrade):
                if len(talks) > 0:
                    return talks[0].standing().version
        threading.Event().wait(STANDING_PAUSE_SECONDS)  # it becomes another program just now
    raise NoUpgrade("the service does not say which version it is; look into its log")


def _talks(config: Config, talking: ExitStack) -> list[UpgradeTalk]:
    """With every supervisor of the store that runs, in the order of a reload."""
    talks = []
    for only in (None, *ORDER):
        with suppress(NoUpgrade):
            talk = UpgradeTalk(RealDisk(config.store).path(desk_name(only)))
            talking.callback(talk.close)
            talks.append(talk)
    return talks


def _kept(begun: Sequence[UpgradeTalk], files: ProgramFiles) -> tuple[str, ...]:
    """Returns the roles that do not serve. The files come first: a service that is started anew from here
    on is the new version.
    """
    files.use_new()
    missing: list[str] = []
    try:
        for talk in begun:
            missing += talk.keep().missing
    except NoUpgrade:
        files.use_old()
        raise
    return tuple(missing)


def _not_begun(begun: Sequence[UpgradeTalk], answer: UpgradeAnswer) -> ChangeOutcome:
    back = _taken_back(begun, answer.why)
    if answer.state is UpgradeState.REFUSED and len(begun) == 0:
        return VersionRefused(answer.why)
    return VersionTakenBack(back.why, (*back.missing, *answer.missing))


def _taken_back(begun: Sequence[UpgradeTalk], why: tuple[str, ...]) -> VersionTakenBack:
    missing: list[str] = []
    for talk in begun:
        with suppress(NoUpgrade):  # its end says the same
            missing += talk.back().missing
    return VersionTakenBack(why, tuple(missing))


def _words(answer: UpgradeAnswer) -> str:
    if answer.state is UpgradeState.HELD:
        return f"version {answer.version} has changed the store, and callers wait while it is looked at"
    return f"version {answer.version} serves, and is looked at"
