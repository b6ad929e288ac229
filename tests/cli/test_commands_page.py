"""docs/commands.md and the program agree, in both directions."""

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from secondpost.cli.main import secondpost
from secondpost.owner import (
    advisory_documents,
    approval_documents,
    attack_documents,
    bounce_documents,
    certificate_document,
    check_documents,
    documents,
    forecast_documents,
    hole_documents,
    import_documents,
    init_documents,
    issue_progress_documents,
    list_documents,
    log_scan_documents,
    migration_document,
    newsletter_documents,
    provider_documents,
    reach_documents,
    reader_documents,
    rehearsal_documents,
    reload_document,
    setting_documents,
    snapshot_documents,
    statistics_documents,
    upgrade_documents,
    upgrade_from_document,
)
from secondpost.spool.desk import Standing

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")
EVERYWHERE = {"--config", "--help"}


def leaves(group: click.Command, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if not isinstance(group, click.Group):
        yield words, group
        return
    if group.invoke_without_command:
        yield words, group
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield from leaves(command, (*words, name))


COMMANDS = {" ".join(words): command for words, command in leaves(secondpost, ("secondpost",))}


def sections(marks: str) -> dict[str, str]:
    """The sections by heading, each up to the next heading of any level."""
    parts = re.split(r"(?m)^(#+ .+)\n", PAGE)
    pairs = zip(parts[1::2], parts[2::2], strict=True)
    return {head.removeprefix(marks): body for head, body in pairs if head.startswith(marks)}


def options_told(section: str) -> set[str]:
    return set(re.findall(r"(?m)^\| `(--[a-z-]+)", section))


def test_every_command_has_its_section_and_every_section_its_command() -> None:
    assert {head for head in sections("## ") if head.startswith("secondpost ")} == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_section_tells_all_options_and_no_others(name: str) -> None:
    command = COMMANDS[name]
    parameters = command.get_params(click.Context(command))
    there = {o for p in parameters if isinstance(p, click.Option) for o in p.opts if o.startswith("--")}
    assert options_told(sections("## ")[name]) == there - EVERYWHERE
    assert there >= EVERYWHERE


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_is_for(name: str) -> None:
    command = COMMANDS[name]
    assert command.help is not None
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, option.opts


DOCUMENTS = {
    name.removesuffix("Document"): kind
    for name, kind in {
        **vars(documents),
        **vars(attack_documents),
        **vars(approval_documents),
        **vars(bounce_documents),
        **vars(advisory_documents),
        **vars(certificate_document),
        **vars(check_documents),
        **vars(forecast_documents),
        **vars(hole_documents),
        **vars(import_documents),
        **vars(init_documents),
        **vars(issue_progress_documents),
        **vars(log_scan_documents),
        **vars(migration_document),
        **vars(list_documents),
        **vars(newsletter_documents),
        **vars(provider_documents),
        **vars(reload_document),
        **vars(reach_documents),
        **vars(reader_documents),
        **vars(setting_documents),
        **vars(snapshot_documents),
        **vars(rehearsal_documents),
        **vars(statistics_documents),
        **vars(upgrade_documents),
        **vars(upgrade_from_document),
    }.items()
    if isinstance(kind, type) and dataclasses.is_dataclass(kind) and name.endswith("Document")
}


def test_every_document_has_its_section() -> None:
    assert set(sections("### ")) == set(DOCUMENTS)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_section_tells_all_keys_and_no_others(name: str) -> None:
    shown = re.findall(r"(?m)^\| `([a-z0-9_]+)` \|", sections("### ")[name])
    assert shown == [field.name for field in dataclasses.fields(DOCUMENTS[name])]


def test_every_standing_is_explained() -> None:
    shown = set(re.findall(r"(?m)^\| `([^`]+)` \|", sections("## ")["How deliveries are named"]))
    assert shown == {standing.value for standing in Standing}
