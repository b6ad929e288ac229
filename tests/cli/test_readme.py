"""What the README and the first pages of the manual tell a newcomer to write and type is right."""

import re
from pathlib import Path

import click
import pytest

from secondpost.cli.main import secondpost
from secondpost.config.reading import parse_config
from secondpost.mail.address import Domain

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
INSTALL = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
NEWSLETTER = (ROOT / "docs" / "newsletter-setup.md").read_text(encoding="utf-8")
README_LINES_MAX = 90
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "recipes").glob("*.md")])


def test_the_configuration_can_be_used_as_it_stands() -> None:
    (backup,) = re.findall(r"```toml\n(.*?)```", INSTALL, re.DOTALL)
    (newsletter,) = re.findall(r"```toml\n(.*?)```", NEWSLETTER, re.DOTALL)
    config = parse_config(backup.encode(), "secondpost.toml")
    assert config.backup_for(Domain("example.net")) is not None
    without_web = '[web]\nurl = "none"\n'
    assert without_web in backup
    both = parse_config(backup.replace(without_web, newsletter).encode(), "secondpost.toml")
    assert [each.name for each in both.newsletters] == ["weekly"]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_command_and_option_exists(path: Path) -> None:
    """Of lines to type: indented ones, and those after a prompt."""
    text = path.read_text(encoding="utf-8")
    for typed in re.findall(r"^(?:    |\$ )secondpost (.+)$", text, re.MULTILINE):
        command: click.Command = secondpost
        words = re.sub(r'"[^"]*"', "TEXT", typed.partition(" #")[0].partition(" |")[0]).split()
        while isinstance(command, click.Group) and len(words) > 0 and not words[0].startswith("-"):
            found = command.get_command(click.Context(command), words.pop(0))
            assert found is not None, typed
            command = found
        known = {option for each in command.params for option in each.opts}
        assert {word for word in words if word.startswith("--")} <= known | {"--config", "--help"}, typed


def test_the_first_commands_are_on_the_first_page() -> None:
    typed = re.findall(r"^    secondpost (.+)$", README, re.MULTILINE)
    assert typed == ["init --wait", "check all", "systemd --install"]
    assert README.count("\n") <= README_LINES_MAX


def test_every_page_it_names_is_there() -> None:
    for target in re.findall(r"\]\(([^)#:]+)", README):
        assert (ROOT / target).exists(), target


def test_it_installs_nothing_without_a_hash() -> None:
    """The libraries come from an existing lock file, and the package from the wheel of this folder."""
    installs = re.findall(r"pip install (.*)", README + INSTALL)
    assert len(installs) == 2
    libraries, itself = installs
    assert libraries.startswith("--require-hashes ")
    assert (ROOT / libraries.split()[-1]).exists()
    assert itself == "--no-index --no-deps dist/secondpost-*.whl"
