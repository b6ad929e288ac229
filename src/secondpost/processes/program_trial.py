"""Another program tried before a supervisor becomes it: after exec it would be too late."""

import asyncio
import os

from secondpost.processes.handed_over import HANDED_OVER, HandedOver, handed_file

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
