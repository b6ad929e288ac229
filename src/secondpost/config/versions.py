"""The versions of the file's format, and what each changed: where a key stood before, and its old words.

Version 2 gave what is said about the certificate authority a table of its own, `[acme]`, and took
names for `unknown` that say what is done. Version 3 did the first for `watch reach`: `[reach]`. A
file of an earlier version is read as if it had been migrated; `secondpost config migrate` writes it
anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass

VERSION = 3


@dataclass(frozen=True, slots=True)
class MovedFrom:
    """In versions up to `until`, the key stood in another table or had another name."""

    until: int
    table: str
    key: str


@dataclass(frozen=True, slots=True)
class Reworded:
    """In versions up to `until`, values had other words: from the old word to today's."""

    until: int
    words: Mapping[str, str]


Was = MovedFrom | Reworded

# By table and key of today, oldest change first.
CHANGES: Mapping[tuple[str, str], tuple[Was, ...]] = {
    ("acme", "directory"): (MovedFrom(1, "tls", "acme_directory"),),
    ("acme", "challenge"): (MovedFrom(1, "tls", "acme_challenge"),),
    ("acme", "root"): (MovedFrom(1, "tls", "acme_root"),),
    ("acme", "key_id"): (MovedFrom(1, "tls", "acme_key_id"),),
    ("acme", "key_file"): (MovedFrom(1, "tls", "acme_key_file"),),
    ("backup", "unknown"): (Reworded(1, {"quarantine": "hold", "refuse": "reject"}),),
    ("reach", "countries"): (MovedFrom(2, "watch", "reach"),),
    ("reach", "control"): (MovedFrom(2, "watch", "reach_control"),),
    ("reach", "every"): (MovedFrom(2, "watch", "reach_every"),),
    ("reach", "sources"): (MovedFrom(2, "watch", "reach_sources"),),
    ("reach", "globalping_token_file"): (MovedFrom(2, "watch", "reach_globalping_token_file"),),
    ("reach", "atlas_key_file"): (MovedFrom(2, "watch", "reach_atlas_key_file"),),
}

# Why, by table of today; for people who are shown what changed.
WHY: Mapping[str, str] = {
    "acme": "What is said to the certificate authority has a table of its own",
    "backup": "The word for unknown addresses says what is done with their mail",
    "reach": "What is asked in other countries has a table of its own",
}


def place_in(version: int, table: str, key: str) -> tuple[str, str]:
    """Table and key under which a file of `version` has what is `key` of `table` today."""
    for was in CHANGES.get((table, key), ()):
        if isinstance(was, MovedFrom) and version <= was.until:
            return was.table, was.key
    return table, key


def words_in(version: int, table: str, key: str) -> Mapping[str, str]:
    """The words that a file of `version` may have for this key, with today's word for each."""
    words: dict[str, str] = {}
    for was in CHANGES.get((table, key), ()):
        if isinstance(was, Reworded) and version <= was.until:
            words |= was.words
    return words


def moved_in(version: int) -> Mapping[tuple[str, str], tuple[str, str]]:
    """By table and key in a file of `version`, table and key of today, of those that have moved since."""
    places = {place_in(version, *today): today for today in CHANGES}
    return {old: today for old, today in places.items() if old != today}
