"""What `config explain` says of a key: in words, and with what a file has for it. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from secondpost.config.faults import quoted
from secondpost.config.keys import DESCRIBED
from secondpost.config.versions import CHANGES, Reworded
from secondpost.setup.effective import EffectiveValue, from_file
from secondpost.setup.setting_places import KeyMeant
from secondpost.setup.setting_words import default_shown, place_text
from secondpost.setup.settings_here import FileSettings

_LINK = re.compile(r"\[([^\]]*)\]\(([^)#]*)(?:#[^)]*)?\)")


@dataclass(frozen=True, slots=True)
class Explanation:
    """A key, without Markdown's links. `default`: a value as TOML, or words. `example`: as TOML.

    `values`: what the file has; `without`: how many tables that could have the key have it not.
    """

    meant: KeyMeant
    says: str
    form: str
    default: str
    example: str | None
    before: tuple[str, ...]
    values: tuple[EffectiveValue, ...]
    without: int


def explain_key(meant: KeyMeant, settings: FileSettings | None) -> Explanation:
    key = DESCRIBED[meant.table][meant.name]
    tables = () if settings is None else settings.of(meant.table, meant.number)
    having = [one for one in tables if meant.name in one.values]
    return Explanation(
        meant,
        plain(key.says),
        key.form.words,
        plain(default_shown(meant.table, meant.name, key)),
        key.example if len(key.example) > 0 else None,
        tuple(_before(meant)),
        tuple(from_file(one, meant.name, key) for one in having),
        len(tables) - len(having),
    )


def plain(markdown: str) -> str:
    """The text without links: a page is named by its path."""

    def named(match: re.Match[str]) -> str:
        words, target = match[1], match[2]
        if "://" in target:
            return f"{words} ({target})"
        page = f"docs/{target or 'settings.md'}"
        return page if words == target else f"{words} ({page})"

    return _LINK.sub(named, markdown)


def _before(meant: KeyMeant) -> Iterator[str]:
    for was in CHANGES.get((meant.table, meant.name), ()):
        if isinstance(was, Reworded):
            words = ", ".join(f"{quoted(old)} for {quoted(new)}" for old, new in was.words.items())
            yield f"up to version {was.until} of the file: {words}"
        else:
            yield f"up to version {was.until} of the file: {place_text(was.table, was.key)}"
