"""The manual pages say what the commands and the settings say, and nothing is missing."""

import re

import click
import pytest

from release.man_pages import pages
from release.roff import roff
from secondpost.cli.main import PLACES, secondpost
from secondpost.config.keys import KEYS

PAGES = pages()


def plain(page: str) -> str:
    """The text of a page, without its marks."""
    text = re.sub(r"\\f.|\\&", "", PAGES[page]).replace("\\-", "-").replace("\\e", "\\")
    return re.sub(r"\s+", " ", text)


def commands(group: click.Command, context: click.Context) -> list[click.Context]:
    if not isinstance(group, click.Group):
        return [context]
    found = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        found += commands(command, click.Context(command, info_name=name, parent=context))
    return found


def test_there_is_a_page_for_each_command_and_group_and_one_for_the_settings() -> None:
    assert set(PAGES) == {
        "secondpost.1",
        "secondpost.toml.5",
        *(f"secondpost-{name}.1" for name in PLACES),
    }


@pytest.mark.parametrize(
    "context",
    commands(secondpost, click.Context(secondpost, info_name="secondpost")),
    ids=lambda each: each.command_path,
)
def test_a_page_has_every_sentence_of_the_help(context: click.Context) -> None:
    top = context.command_path.split()[1]
    page = plain(f"secondpost-{top}.1")
    assert context.command_path in page
    for parameter in context.command.get_params(context):
        record = parameter.get_help_record(context)
        for text in record or ():
            assert re.sub(r"\s+", " ", text.replace("`", "")) in page


def test_the_settings_page_has_every_key_of_every_table() -> None:
    for keys in KEYS.values():
        for key in keys:
            assert f".TP\n\\fB{key}\\fR\n" in PAGES["secondpost.toml.5"].replace("\\_", "_")


def test_the_exit_codes_are_those_of_the_help() -> None:
    found = re.findall(r"\.TP\n\\fB(\d)\\fR\n(.+)", PAGES["secondpost.1"])
    assert [code for code, _ in found] == list("012345")
    assert found[4] == ("4", "The store or the service cannot be reached.")


@pytest.mark.parametrize(
    ("markdown", "made"),
    [
        (".dots and 'quotes' begin no request\n", ".PP\n\\&.dots and 'quotes' begin no request\n"),
        (
            "a back\\\\slash, a `--flag`, *weight*",
            ".PP\na back\\eslash, a \\fB\\-\\-flag\\fR, \\fIweight\\fR\n",
        ),
        ("## `[tls]`\n", ".SH [tls]\n"),
        ("- one\n- two\n", ".IP \\(bu 2\none\n.IP \\(bu 2\ntwo\n"),
        ("```toml\n.key = 1\n```\n", ".PP\n.RS 4\n.nf\n\\&.key = 1\n.fi\n.RE\n"),
        ("[text](page.md#place)", ".PP\ntext\n"),
    ],
)
def test_markdown_becomes_roff(markdown: str, made: str) -> None:
    assert roff(markdown) == made


def test_a_table_becomes_a_list_with_the_words_for_its_columns() -> None:
    table = "| key | what | default |\n|---|---|---|\n| `a` | Why. | `1` |\n"
    assert roff(table, ("Default:",)) == ".TP\n\\fBa\\fR\nWhy. Default: \\fB1\\fR.\n"


def test_what_it_cannot_say_is_an_error() -> None:
    with pytest.raises(ValueError, match="know no image"):
        roff("![picture](picture.png)")
