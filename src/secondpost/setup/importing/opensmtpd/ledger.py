"""What became of each statement: collected while our configuration is made, and given in their order."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from secondpost.config.positions import KeyPath
from secondpost.setup.importing.carried import Fate, OldPlace, ReportLine
from secondpost.setup.importing.opensmtpd.hiding import shown_text
from secondpost.setup.importing.opensmtpd.lexer import SmtpdStatement
from secondpost.setup.importing.opensmtpd.tables import TableEntry


@dataclass(slots=True)
class _Account:
    text: str
    fates: list[Fate] = field(default_factory=list)
    whys: dict[str, None] = field(default_factory=dict)
    becomes: dict[KeyPath, None] = field(default_factory=dict)


@dataclass(slots=True)
class SmtpdLedger:
    """A statement that is partly carried over has changed."""

    _accounts: dict[OldPlace, _Account] = field(default_factory=dict)
    _entries: dict[OldPlace, _Account] = field(default_factory=dict)

    def open(self, statements: Iterable[SmtpdStatement], secrets: Collection[str]) -> None:
        """All statements, in their order. `secrets`: texts that are not shown."""
        for statement in statements:
            self._accounts.setdefault(statement.place, _Account(shown_text(statement, secrets)))

    def say(self, statement: SmtpdStatement, fate: Fate, why: str = "", *becomes: KeyPath) -> None:
        _say(self._accounts[statement.place], fate, why, becomes)

    def remark(self, statement: SmtpdStatement, why: str) -> None:
        """Something to know of a statement that does not differ by it."""
        self._accounts[statement.place].whys[why] = None

    def say_of(self, entry: TableEntry, fate: Fate, why: str, *becomes: KeyPath) -> None:
        """Of a line of a table file. An entry of the statement itself is said there."""
        if entry.place in self._accounts:
            _say(self._accounts[entry.place], fate, why, becomes)
            return
        text = entry.key if entry.value is None else f"{entry.key} {entry.value}"
        _say(self._entries.setdefault(entry.place, _Account(text)), fate, why, becomes)

    def is_said(self, statement: SmtpdStatement) -> bool:
        return len(self._accounts[statement.place].fates) > 0

    def lines(self) -> Iterator[ReportLine]:
        for place, account in (*self._accounts.items(), *self._entries.items()):
            if len(account.fates) > 0:
                becomes, why = tuple(account.becomes), " ".join(account.whys)
                yield ReportLine(place, account.text, _joined(account.fates), why, becomes)


def _say(account: _Account, fate: Fate, why: str, becomes: Iterable[KeyPath]) -> None:
    account.fates.append(fate)
    if len(why) > 0:
        account.whys[why] = None
    account.becomes.update(dict.fromkeys(becomes))


def _joined(fates: list[Fate]) -> Fate:
    if all(fate is fates[0] for fate in fates):
        return fates[0]
    return Fate.CHANGED
