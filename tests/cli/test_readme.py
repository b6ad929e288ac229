"""What the README tells a newcomer to write and type is right."""

import re
from pathlib import Path

import click

from secondpost.cli.main import secondpost
from secondpost.config.reading import parse_config
from secondpost.mail.address import Domain

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


def test_the_configuration_can_be_used_as_it_stands() -> None:
    backup, newsletter = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    config = parse_config(backup.encode(), "secondpost.toml")
    assert config.backup_for(Domain("example.net")) is not None
    without_web = '[web]\nurl = "none"\n'
    assert without_web in backup
    both = parse_config(backup.replace(without_web, newsletter).encode(), "secondpost.toml")
    assert [each.name for each in both.newsletters] == ["weekly"]


def test_every_command_exists() -> None:
    typed = re.findall(r"^    secondpost ([a-z ]+?)(?: \S*@.*)?$", README, re.MULTILINE)
    assert len(typed) >= 4
    for words in typed:
        command: click.Command = secondpost
        for word in words.split():
            assert isinstance(command, click.Group)
            found = command.get_command(click.Context(command), word)
            assert found is not None, words
            command = found
        assert not isinstance(command, click.Group)


def test_every_page_it_names_is_there() -> None:
    root = Path(__file__).resolve().parents[2]
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (root / target).exists(), target


def test_it_installs_nothing_without_a_hash() -> None:
    """The libraries come from an existing lock file, and the package from the wheel of this folder."""
    installs = re.findall(r"pip install (.*)", README)
    assert len(installs) == 2
    libraries, itself = installs
    assert libraries.startswith("--require-hashes ")
    assert (Path(__file__).resolve().parents[2] / libraries.split()[-1]).exists()
    assert itself == "--no-index --no-deps dist/secondpost-*.whl"
