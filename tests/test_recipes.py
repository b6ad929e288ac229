"""The recipes say what the program says: the settings of primaries, and how exported lists are read."""

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest
from click.testing import CliRunner

from secondpost.cli.main import secondpost
from secondpost.setup.primary_kind import PrimaryKind
from secondpost.setup.trust_settings import Relay, trust_setting, trust_settings
from secondpost.subscribers.meanings import Words, folded
from secondpost.subscribers.services import EXPORTS
from tests.test_docs import rows_of

RECIPES = Path(__file__).parent.parent / "docs" / "recipes"
EXPORTED = Path(__file__).parent / "subscribers" / "exports"
RELAY = Relay("mx2.example.net", ("192.0.2.20", "2001:db8::20"))
ANY = "any"

CONFIGURATION = """\
version  = 3
hostname = "mx2.example.net"
store    = "STORE"
owner    = ["me@elsewhere.example"]

[[newsletter]]
name  = "weekly"
from  = "The Blog <newsletter@example.net>"
feeds = ["https://www.example.net/feed.xml"]
"""


def recipe(name: str) -> str:
    return (RECIPES / f"{name}.md").read_text(encoding="utf-8")


def all_recipes() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(RECIPES.glob("*.md")))


# -- primaries

SHOWN = re.findall(r"^<!-- setting: (.+?) -->\n```\n(.*?)\n```$", all_recipes(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("kind", "setting"), SHOWN, ids=[kind for kind, _ in SHOWN])
def test_a_setting_is_shown_as_the_program_prints_it(kind: str, setting: str) -> None:
    if kind == ANY:
        assert setting == trust_settings((), RELAY)
    else:
        assert setting == trust_setting(PrimaryKind(kind), RELAY)


def test_every_kind_of_primary_has_its_recipe() -> None:
    """Those without a setting of their own at least have their name on the page for all others."""
    shown = {kind for kind, _ in SHOWN}
    others = " ".join(recipe("other-servers").split())
    (rest,) = re.findall(r"Secondpost also recognises (.+?)\. It knows no setting", others)
    named = shown | set(re.split(r", | and ", rest))
    assert named == {kind.value for kind in PrimaryKind} | {ANY}


# -- lists of readers


def words_of(service: str, what: str, column: str) -> dict[str, str]:
    """Each word of a column to what it means."""
    (form,) = [form for form in EXPORTS if (form.service, form.what) == (service, what)]
    meaning = form.columns[folded(column)]
    assert isinstance(meaning, Words)
    return {word: str(standing) for word, standing in meaning.meanings.items()}


def told(rows: Iterable[tuple[str, ...]]) -> dict[str, str]:
    """Each word in the first cell to the last cell."""
    return {folded(word): row[-1] for row in rows for word in re.findall(r"`([^`]+)`", row[0])}


def test_the_files_of_mailchimp_mean_what_the_recipe_says() -> None:
    wholes = {
        form.what.split()[0]: str(form.whole)
        for form in EXPORTS
        if form.service == "Mailchimp" and form.whole is not None
    }
    rows = rows_of(recipe("mailchimp").partition("## Look")[0])
    assert {row[1].split()[0]: row[2] for row in rows} == wholes
    words = words_of("Mailchimp", "API", "status")
    assert [words[word] for word in ("pending", "transactional", "archived")] == ["pending", "left", "left"]


def test_the_types_of_buttondown_mean_what_the_recipe_says() -> None:
    assert told(rows_of(recipe("buttondown"))) == words_of("Buttondown", "subscribers", "type")


def test_the_states_of_listmonk_mean_what_the_recipe_says() -> None:
    on_list = words_of("listmonk", "API", "lists.subscription_status")
    everywhere = words_of("listmonk", "API", "status")
    assert told(rows_of(recipe("listmonk"))) == everywhere | on_list


LISTS = re.findall(
    r"^<!-- list: (.+?) -->\n```console\n\$ secondpost (.+?)\n(.*?)^```$",
    all_recipes(),
    re.MULTILINE | re.DOTALL,
)


@pytest.mark.parametrize(("sample", "command", "output"), LISTS, ids=[sample for sample, _, _ in LISTS])
def test_a_list_is_read_as_the_recipe_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample: str, command: str, output: str
) -> None:
    (tmp_path / "secondpost.toml").write_text(
        CONFIGURATION.replace("STORE", str(tmp_path / "store")), encoding="utf-8"
    )
    shutil.copy(EXPORTED / sample, tmp_path)
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(secondpost, command.split())
    assert done.exit_code == 0, done.output
    assert done.output == output
