"""Another program tried before a supervisor becomes it: after exec it would be too late."""

import asyncio
import os

from secondpost.config.changes import only_at_start
from secondpost.config.faults import ConfigFaults
from secondpost.config.reading import read_config
from secondpost.config.records import Config
from secondpost.processes.handed_over import HANDED_OVER, HandedOver, handed_file
from secondpost.processes.reload import ReloadRefused

TRIAL_SECONDS_MAX = 60.0
TRIAL_SAID_CHARACTERS_MAX = 2000

Reasons = tuple[str, ...]  # sentences


class NotTaken(Exception):
    """The change of programs does not happen; `why` has the reasons."""

    def __init__(self, *why: str) -> None:
        self.why = why


async def tried(program: str, handed: HandedOver) -> None:
    """Have the program read what it would be handed. Raises NotTaken if it cannot."""
    descriptor = handed_file(handed)
    try:
        trial = await asyncio.create_subprocess_exec(
            *(program, "-P", "-m", "secondpost.processes", "--config", handed.path, "try"),
            env={**os.environ, HANDED_OVER: str(descriptor)},
            pass_fds=(descriptor,),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(TRIAL_SECONDS_MAX):
                _, said = await trial.communicate()
        except TimeoutError:
            trial.kill()
            await trial.wait()
            raise NotTaken(f"{program} does not start within {TRIAL_SECONDS_MAX:g} s") from None
    except OSError as error:
        raise NotTaken(f"{program} cannot be run: {error.strerror}") from None
    finally:
        os.close(descriptor)
    if trial.returncode != 0:
        text = said.decode("utf-8", "replace").strip()[-TRIAL_SAID_CHARACTERS_MAX:]
        raise NotTaken(f"{program} does not start: {text or f'exit code {trial.returncode}'}")


def file_as_read_here(before: Config, only: str | None) -> Config:
    """The configuration's file as this program reads it. Raises NotTaken."""
    try:
        config = read_config(before.path, only)
    except ConfigFaults as faulty:
        raise NotTaken(*faulty.texts()) from None
    faults = only_at_start(before, config)
    if len(faults) > 0:
        raise NotTaken(*(fault.text(before.path) for fault in faults))
    return config


def reasons_of(error: Exception) -> Reasons:
    match error:
        case NotTaken(why=why):
            return why
        case ReloadRefused(faults=faults):
            return tuple(fault.reason for fault in faults)
        case _:
            return (str(error),)
