"""Runs other programs of this machine, for commands: no role may run one."""

import subprocess

SECONDS_MAX = 60.0


class ProgramFailed(Exception):
    """The text names the program, and what it said."""


def output_of(*words: str, seconds_max: float = SECONDS_MAX) -> str:
    """Run a program to its end; returns what it printed. Raises ProgramFailed."""
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
    if done.returncode != 0:
        said = " ".join((done.stderr or done.stdout).split())
        raise ProgramFailed(f"{' '.join(words)}: {said or f'exit code {done.returncode}'}")
    return done.stdout
