"""A walk over the tokens of a statement, with the tables that were declared before it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from secondpost.setup.importing.old_files import OldFiles
from secondpost.setup.importing.opensmtpd.lexer import SmtpdStatement, SmtpdSyntax, SmtpdToken, SmtpdTokenKind
from secondpost.setup.importing.opensmtpd.statements import SmtpdCondition
from secondpost.setup.importing.opensmtpd.tables import SmtpdTable, TableEntry, table_from_file

# What may be no name of a macro, and no string without quotation marks (lookup in parse.y of 6.8).
NEW_KEYWORDS = frozenset([
    "action", "admd", "alias", "any", "auth", "auth-optional", "backup", "bounce", "bypass", "ca",
    "cert", "chain", "chroot", "ciphers", "commit", "compression", "connect", "data", "data-line",
    "dhe", "disconnect", "domain", "ehlo", "encryption", "expand-only", "fcrdns", "filter", "for",
    "forward-only", "from", "group", "helo", "helo-src", "host", "hostname", "hostnames", "include",
    "inet4", "inet6", "junk", "key", "limit", "listen", "lmtp", "local", "mail-from", "maildir",
    "mask-src", "masquerade", "match", "max-deferred", "max-message-size", "mbox", "mda", "mta", "mx",
    "no-dsn", "no-verify", "noop", "on", "phase", "pki", "port", "proc", "proc-exec", "proxy-v2",
    "queue", "quit", "rcpt-to", "rdns", "received-auth", "recipient", "regex", "reject", "relay",
    "report", "rewrite", "rset", "scheduler", "senders", "smtp", "smtp-in", "smtp-out", "smtps",
    "socket", "src", "srs", "sub-addr-delim", "table", "tag", "tagged", "tls", "tls-require", "ttl",
    "user", "userbase", "verify", "virtual", "warn-interval", "wrapper",
])  # fmt: skip
_BARE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:/@+-]*")


@dataclass(slots=True)
class Declared:
    """What the statements so far have declared."""

    files: OldFiles
    tables: dict[str, SmtpdTable] = field(default_factory=dict)


@dataclass(slots=True)
class SmtpdWords:
    """`take…` steps on if the next token fits. Raises SmtpdSyntax with what was expected."""

    statement: SmtpdStatement
    declared: Declared
    at: int = 0

    @property
    def is_over(self) -> bool:
        return self.at >= len(self.statement.tokens)

    def take(self, *keywords: str) -> str | None:
        """The next token if it is one of these keywords or marks."""
        if self.is_over:
            return None
        token = self.statement.tokens[self.at]
        if token.kind is SmtpdTokenKind.QUOTED or token.text not in keywords:
            return None
        self.at += 1
        return token.text

    def need(self, *keywords: str) -> str:
        found = self.take(*keywords)
        if found is None:
            raise self.wrong(f'"{keywords[0]}" is missing')
        return found

    def string(self) -> str:
        return self.token().text

    def token(self) -> SmtpdToken:
        if self.is_over or self.statement.tokens[self.at].kind is SmtpdTokenKind.MARK:
            raise self.wrong("a word is missing")
        self.at += 1
        return self.statement.tokens[self.at - 1]

    def is_string_next(self) -> bool:
        return not self.is_over and self.statement.tokens[self.at].kind is not SmtpdTokenKind.MARK

    def is_table_next(self) -> bool:
        return not self.is_over and self.statement.tokens[self.at].text in ("<", "{")

    def rest(self) -> str:
        """All that is left, on one line."""
        left = " ".join(written(token) for token in self.statement.tokens[self.at :])
        self.at = len(self.statement.tokens)
        return left

    def end(self) -> None:
        if not self.is_over:
            raise self.wrong("it cannot stand here")

    def wrong(self, what: str) -> SmtpdSyntax:
        tokens = self.statement.tokens
        here = "at the end of the statement" if self.is_over else f'at "{tokens[self.at].text}"'
        return SmtpdSyntax(f"{what}, {here}; smtpd -n names such faults too")

    def table(self) -> SmtpdTable:
        """<NAME>, a list in braces, or one string (tables in the grammar)."""
        if self.take("<") is not None:
            name = self.string()
            self.need(">")
            if name not in self.declared.tables:
                raise self.wrong(f"there is no table {name} above")
            return self.declared.tables[name]
        if self.take("{") is not None:
            return self.list_in_braces(None)
        token = self.token()
        place = self.statement.place
        return SmtpdTable(written(token), (TableEntry(token.text, None, place),), place)

    def list_in_braces(self, name: str | None) -> SmtpdTable:
        """What follows an opening brace, up to its closing one; commas may be left out."""
        entries = tuple(self._entries())
        written_as = entries_text(entries) if name is None else table_reference(name)
        return SmtpdTable(written_as, entries, self.statement.place, name)

    def _entries(self) -> Iterator[TableEntry]:
        place = self.statement.place
        while self.take("}") is None:
            key = self.string()
            value = self.string() if self.take("=", "=>") is not None else None
            yield TableEntry(key, value, place)
            self.take(",")

    def condition(self, *, is_not: bool) -> SmtpdCondition:
        """[regex] TABLE."""
        is_regex = self.take("regex") is not None
        return SmtpdCondition(self.table(), is_not, is_regex)

    def declared_table(self) -> SmtpdTable:
        """What follows `table`: NAME and a file, or NAME and a list."""
        name = self.string()
        if self.take("{") is not None:
            made = self.list_in_braces(name)
        else:
            source = self.string()
            made = replace(
                table_from_file(self.declared.files, name, source, self.statement.place),
                written=table_reference(name),
            )
        self.declared.tables[name] = made
        return made


def written(token: SmtpdToken) -> str:
    """A token as it can stand in a smtpd.conf of today."""
    if token.macro is not None and token.macro not in NEW_KEYWORDS:
        return f"${token.macro}"
    return string_text(token.text)


def string_text(text: str) -> str:
    """A string with quotation marks, if it cannot do without them."""
    return text if _BARE.fullmatch(text) is not None and text not in NEW_KEYWORDS else quoted_string(text)


def quoted_string(text: str) -> str:
    escaped = text.replace('"', '\\"')
    return f'"{escaped}"'


def table_reference(name: str) -> str:
    return f"<{string_text(name)}>"


def entries_text(entries: Sequence[TableEntry]) -> str:
    """A list in braces."""
    shown = [
        quoted_string(one.key)
        if one.value is None
        else f"{quoted_string(one.key)} = {quoted_string(one.value)}"
        for one in entries
    ]
    return f"{{ {', '.join(shown)} }}"
