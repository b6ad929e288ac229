"""Completion works in a real shell."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from release.completion import scripts

PROGRAMS = Path(sys.executable).parent


@pytest.mark.parametrize(
    ("words", "found"),
    [(("secondpost", "que"), "queue"), (("secondpost", "queue", "rel"), "release")],
)
def test_bash_completes_commands(tmp_path: Path, words: tuple[str, ...], found: str) -> None:
    script = tmp_path / "secondpost"
    script.write_text(scripts()["bash-completion/completions/secondpost"])
    typed = f"COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}"
    done = subprocess.run(
        ["bash", "-c", f'. {script}; {typed}; _secondpost_completion secondpost; echo "${{COMPREPLY[*]}}"'],
        env={**os.environ, "PATH": f"{PROGRAMS}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == (f"{found}\n", "")


def test_no_script_starts_python_when_it_is_read(tmp_path: Path) -> None:
    """A shell that starts must not wait: the script calls secondpost only from its function."""
    script = tmp_path / "secondpost"
    script.write_text(scripts()["bash-completion/completions/secondpost"])
    done = subprocess.run(
        ["bash", "-c", f"PATH=/nonexistent; . {script}"], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
