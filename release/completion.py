"""Completion for bash, zsh and fish, as click makes it.

`python -m release.completion FOLDER` writes them where Debian looks for them, below /usr/share. The
scripts are static: `secondpost` itself is asked only when somebody presses Tab behind it.
"""

import sys
from pathlib import Path

from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

from secondpost.cli.main import secondpost

PLACES: dict[str, type[ShellComplete]] = {
    "bash-completion/completions/secondpost": BashComplete,
    "zsh/vendor-completions/_secondpost": ZshComplete,
    "fish/vendor_completions.d/secondpost.fish": FishComplete,
}


def scripts() -> dict[str, str]:
    """Path below /usr/share to text."""
    return {
        place: shell(secondpost, {}, "secondpost", "_SECONDPOST_COMPLETE").source()
        for place, shell in PLACES.items()
    }


def main() -> None:
    for place, text in scripts().items():
        file = Path(sys.argv[1]) / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
