"""Every key of the file, by table, from the descriptions beside the fields of the records.

The empty name stands for the top of the file, before the first [table].
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import get_args

from secondpost.config import forms
from secondpost.config.key import Key, TableOfKeys
from secondpost.config.records import (
    Acme,
    Alarms,
    Backup,
    Config,
    Deliver,
    Dkim,
    Dns,
    Fetch,
    Metrics,
    Newsletter,
    ReachSettings,
    Receive,
    Route,
    Send,
    Tls,
    Watch,
    Web,
)
from secondpost.config.versions import VERSION

TOP = ""
VERSION_NUMBER = forms.number(0, 10**9)
VERSION_KEY = Key(  # no field has it as a setting: what was read is as in a file of today's version
    VERSION_NUMBER,
    f"The version of this format; today's is {VERSION}, and earlier ones are read too.",
    str(VERSION),
    need=f"write version = {VERSION} at the top of the file",
)

# In the order of docs/settings.md.
TABLES: Mapping[str, TableOfKeys] = {
    TOP: TableOfKeys(Config, "What concerns the whole server; before any line with a name in brackets."),
    "web": TableOfKeys(Web, "The public pages: sign-up, archive, unsubscribing."),
    "tls": TableOfKeys(
        Tls, "The certificate: either from an authority (`acme`), or `certificate` and `key`."
    ),
    "acme": TableOfKeys(
        Acme,
        "Another certificate authority than Let's Encrypt, or another way to prove that the names are yours.",
        needs=("tls", "acme"),
    ),
    "receive": TableOfKeys(Receive, "How mail comes in."),
    "dns": TableOfKeys(Dns, "The name servers."),
    "deliver": TableOfKeys(Deliver, "How mail goes out."),
    "fetch": TableOfKeys(Fetch, "How feeds are fetched."),
    "send": TableOfKeys(Send, "Limits on what is sent to readers of a newsletter."),
    "dkim": TableOfKeys(Dkim, "The two keys that sign mail to readers, and to you."),
    "metrics": TableOfKeys(Metrics, "What a monitoring system may read."),
    "alarms": TableOfKeys(Alarms, "How you hear of what happens."),
    "watch": TableOfKeys(Watch, "What the service watches for you."),
    "reach": TableOfKeys(
        ReachSettings, "Whether other countries can reach your MX addresses.", needs=("reach", "countries")
    ),
    "backup": TableOfKeys(
        Backup, "A domain whose mail you accept while its own provider cannot.", is_repeated=True
    ),
    "route": TableOfKeys(
        Route, "A smart host: another server that gets mail instead of its domain's own.", is_repeated=True
    ),
    "newsletter": TableOfKeys(
        Newsletter, "A newsletter, made from the feeds of your blog.", is_repeated=True
    ),
}


@dataclass(frozen=True, slots=True)
class KeyField:
    """A key, by its name in the file, and the field of the record that it fills."""

    name: str
    field: str
    key: Key


def key_fields(record: type) -> Iterator[KeyField]:
    """The described fields of a record, in order; a field without a description has no key."""
    for field, annotation in record.__annotations__.items():
        for part in get_args(annotation):
            if isinstance(part, Key):
                yield KeyField(part.name or field.removesuffix("_ms"), field, part)


FIELDS: Mapping[str, tuple[KeyField, ...]] = {
    name: tuple(key_fields(table.record)) for name, table in TABLES.items()
}

# By table, every key by its name.
DESCRIBED: Mapping[str, Mapping[str, Key]] = {
    name: {
        **({"version": VERSION_KEY} if name == TOP else {}),
        **{one.name: one.key for one in FIELDS[name]},
    }
    for name in TABLES
}
KEYS: Mapping[str, tuple[str, ...]] = {name: tuple(keys) for name, keys in DESCRIBED.items()}

REPEATED = frozenset(name for name, table in TABLES.items() if table.is_repeated)


def header(table: str) -> str:
    """The line that opens the table in the file."""
    return f"[[{table}]]" if table in REPEATED else f"[{table}]"
