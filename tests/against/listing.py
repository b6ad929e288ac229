"""The queue as listed by the owner's command."""

import json
from typing import TypedDict

from bench.ours import Secondpost


class Row(TypedDict):
    standing: str
    sender: str
    recipient: str
    size: int
    attempts: int
    maybe_duplicate: bool


def listed(secondpost: Secondpost) -> list[Row]:
    document: dict[str, list[Row]] = json.loads(secondpost.run("queue", "list", "--json"))
    return document["deliveries"]


def waiting(secondpost: Secondpost) -> list[Row]:
    return [row for row in listed(secondpost) if row["standing"] in ("waiting", "claimed", "held (primary)")]


def held_for_the_primary(secondpost: Secondpost) -> list[Row]:
    return [row for row in listed(secondpost) if row["standing"] == "held (primary)"]
