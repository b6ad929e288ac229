"""Passwords and keys that stand in smtpd.conf itself, which no report shows."""

from collections.abc import Iterable, Iterator, Sequence

from secondpost.setup.importing.opensmtpd.lexer import SmtpdStatement
from secondpost.setup.importing.opensmtpd.statements import (
    SmtpdActionStatement,
    SmtpdListener,
    SmtpdRelay,
    SmtpdRule,
    SmtpdSaid,
    SmtpdSetting,
    SmtpdTableStatement,
)
from secondpost.setup.importing.opensmtpd.tables import SmtpdTable, TableEntry

HIDDEN = "…"
SECRET_SETTINGS = ("queue encryption", "srs key")  # with a key


def secrets_in(said: Sequence[SmtpdSaid]) -> frozenset[str]:
    """The texts to hide: values of tables of credentials, and keys."""
    credentials = set(_credentials(said))
    found: set[str] = set()
    for one in said:
        match one:
            case SmtpdTableStatement(table=table) if table.written in credentials:
                found |= {entry.value for entry in table.entries if entry.value is not None}
            case SmtpdSetting(name=name, statement=statement) if name in SECRET_SETTINGS:
                found.add(statement.tokens[-1].text)
            case (
                SmtpdActionStatement(action=SmtpdRelay(auth=table)) | SmtpdRule(action=SmtpdRelay(auth=table))
            ):
                found |= {entry.value for entry in _entries(table) if entry.value is not None}
            case _:
                pass
    return frozenset(found - {"", "key", "encryption"})


def _entries(table: SmtpdTable | None) -> tuple[TableEntry, ...]:
    return () if table is None else table.entries


def _credentials(said: Sequence[SmtpdSaid]) -> Iterator[str]:
    """The tables that logins are looked up in, as statements name them."""
    for one in said:
        match one:
            case (
                SmtpdActionStatement(action=SmtpdRelay(auth=table)) | SmtpdRule(action=SmtpdRelay(auth=table))
            ):
                if table is not None:
                    yield table.written
            case SmtpdListener(extras=extras):
                yield from (extra.partition(" ")[2] for extra in extras if extra.startswith("auth"))
            case _:
                pass


def shown_text(statement: SmtpdStatement, secrets: Iterable[str]) -> str:
    """The statement without what is secret; the longest first, since one may be part of another."""
    text = statement.text
    for secret in sorted(secrets, key=len, reverse=True):
        for written in (secret, secret.replace('"', '\\"')):
            text = text.replace(written, HIDDEN)
    return text
