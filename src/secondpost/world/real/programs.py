"""Runs other programs of this machine, for commands: no role may run one."""

import subprocess
from dataclasses import dataclass

SECONDS_MAX = 60.0


class ProgramFailed(Exception):
    """The text names the program, and what it said."""


@dataclass(frozen=True, slots=True)
class ProgramAnswer:
    """What a program printed, what it said of failures, and its exit code."""

    code: int
    printed: str
    failure: str


def output_of(*words: str, seconds_max: float = SECONDS_MAX) -> str:
    """Run a program to its end; returns what it printed. Raises ProgramFailed."""
    done = answer_of(*words, seconds_max=seconds_max)
    if done.code != 0:
        said = " ".join((done.failure or done.printed).split())
        raise ProgramFailed(f"{' '.join(words)}: {said or f'exit code {done.code}'}")
    return done.printed


def answer_of(*words: str, seconds_max: float = SECONDS_MAX) -> ProgramAnswer:
    """Run a program to its end, whatever its exit code. Raises ProgramFailed if that cannot be done."""
    try:
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds_max,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except OSError as error:
        raise ProgramFailed(f"{words[0]} cannot be run: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise ProgramFailed(f"{' '.join(words)}: it did not end within {seconds_max:g} s") from None
    return ProgramAnswer(done.returncode, done.stdout, done.stderr)
