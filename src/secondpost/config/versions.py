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
class Moved:
    """In versions up to `until`, the key stood in another table or had another name."""

    until: int
    table: str
    key: str


@dataclass(frozen=True, slots=True)
class Reworded:
    """In versions up to `until`, values had other words: from the old word to today's."""

    until: int
    words: Mapping[str, str]


Was = Moved | Reworded

# By table and key of today, oldest change first.
CHANGES: Mapping[tuple[str, str], tuple[Was, ...]] = {
    ("acme", "directory"): (Moved(1, "tls", "acme_directory"),),
    ("acme", "challenge"): (Moved(1, "tls", "acme_challenge"),),
    ("acme", "root"): (Moved(1, "tls", "acme_root"),),
    ("acme", "key_id"): (Moved(1, "tls", "acme_key_id"),),
    ("acme", "key_file"): (Moved(1, "tls", "acme_key_file"),),
    ("backup", "unknown"): (Reworded(1, {"quarantine": "hold", "refuse": "reject"}),),
    ("reach", "countries"): (Moved(2, "watch", "reach"),),
    ("reach", "control"): (Moved(2, "watch", "reach_control"),),
    ("reach", "every"): (Moved(2, "watch", "reach_every"),),
    ("reach", "sources"): (Moved(2, "watch", "reach_sources"),),
    ("reach", "globalping_token_file"): (Moved(2, "watch", "reach_globalping_token_file"),),
    ("reach", "atlas_key_file"): (Moved(2, "watch", "reach_atlas_key_file"),),
}
