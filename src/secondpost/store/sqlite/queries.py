"""The named queries: each has a name, a sentence and its text, in the files of sql/."""

import re
from importlib.resources import files

_NAMED = re.compile(r"^-- name: (\w+)\n(?:-- .*\n)+", re.MULTILINE)


def read_queries(name: str) -> dict[str, str]:
    """The queries of one file by name. Raises ValueError when one has no sentence."""
    text = files("secondpost.store.sqlite").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
    heads = list(_NAMED.finditer(text))
    if len(heads) != text.count("-- name:"):
        raise ValueError(f"a query of {name}.sql has no sentence")
    ends = [head.start() for head in heads[1:]] + [len(text)]
    return {head[1]: text[head.end() : end].strip() for head, end in zip(heads, ends, strict=True)}
