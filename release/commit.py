"""Hatch runs this in every build: the commit goes into the package, for `secondpost --version`, and into
a wheel the lock of its libraries."""

import subprocess
from pathlib import Path

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# Where a source archive carries it; the wheel has it inside the package.
IN_SOURCE = "commit.txt"
IN_WHEEL = "secondpost/commit.txt"
LOCK = "requirements.install.lock"
LOCK_IN_WHEEL = f"secondpost/{LOCK}"  # for `secondpost upgrade`, which installs these libraries with it


class CommitHook(BuildHookInterface[BuilderConfig]):
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, object]) -> None:
        """Add the file to what is built."""
        included = build_data["force_include"]
        assert isinstance(included, dict)
        if version == "editable":
            return
        if self.target_name == "wheel":
            included[str(Path(self.root) / LOCK)] = LOCK_IN_WHEEL
        file = commit_file(Path(self.root))
        if file is None:
            return
        included[str(file)] = IN_SOURCE if self.target_name == "sdist" else IN_WHEEL


def commit_file(root: Path) -> Path | None:
    """The file of an unpacked source archive, or one made from the checkout; None without either."""
    carried = root / IN_SOURCE
    if carried.exists():
        return carried
    commit = commit_of(root)
    if commit is None:
        return None
    made = root / "build" / IN_SOURCE
    made.parent.mkdir(exist_ok=True)
    made.write_text(f"{commit}\n", encoding="ascii")
    return made


def commit_of(root: Path) -> str | None:
    """The commit of a checkout, with a plus sign if files differ from it; None if it is not one."""
    if not (root / ".git").exists():
        return None
    named = _git(root, "rev-parse", "--short=12", "HEAD")
    changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    if named is None or changed is None:
        return None
    return named if len(changed) == 0 else f"{named}+"


def _git(root: Path, *words: str) -> str | None:
    """None without git, or where git refuses another user's checkout."""
    try:
        done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
