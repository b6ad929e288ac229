"""The tables of docs/settings.md, from the descriptions of the keys; `make settings` writes them.

All else on the page is written by hand. A test compares.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from secondpost.config.key import Key
from secondpost.config.keys import DESCRIBED, TOP, header
from secondpost.setup.setting_words import default_text

PAGE = Path(__file__).parent.parent / "docs" / "settings.md"
HEAD = "| key | what it says | default | example |\n|---|---|---|---|\n"
TOP_HEADING = "The top of the file"
NO_EXAMPLE = "not yet"


def table_text(table: str, keys: Mapping[str, Key]) -> str:
    """The rows of one table, each a key."""
    return "".join(
        f"| `{name}` | {key.says} | {default_text(table, name, key)} | "
        f"{f'`{key.example}`' if len(key.example) > 0 else NO_EXAMPLE} |\n"
        for name, key in keys.items()
    )


def page_with_tables(page: str, described: Mapping[str, Mapping[str, Key]] = DESCRIBED) -> str:
    """The page with its tables written anew. Raises ValueError if a heading or table is missing."""
    for table, keys in described.items():
        heading = TOP_HEADING if table == TOP else f"`{header(table)}`"
        rows = re.search(
            rf"^## {re.escape(heading)}\n(?:(?!## ).*\n)*?{re.escape(HEAD)}(?P<rows>(?:\|.*\n)+)",
            page,
            re.MULTILINE,
        )
        if rows is None:
            raise ValueError(f"docs/settings.md has no table below the heading {heading}")
        page = page[: rows.start("rows")] + table_text(table, keys) + page[rows.end("rows") :]
    return page


if __name__ == "__main__":
    PAGE.write_text(page_with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
