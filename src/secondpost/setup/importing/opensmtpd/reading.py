"""Reads smtpd.conf, and makes our configuration of it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from secondpost.config.positions import KeyPath
from secondpost.setup.answers import NOT_ANSWERED, Answers, Entry, SmartHostAnswer, toml_text
from secondpost.setup.importing.carried import Fate, ImportedServer, OldConfigFaults, OldFault, OldServer
from secondpost.setup.importing.old_files import OldFiles
from secondpost.setup.importing.opensmtpd.backups import BackupMaker, MadeBackups
from secondpost.setup.importing.opensmtpd.doors import DoorReader, OldDoors
from secondpost.setup.importing.opensmtpd.entries import keep_entry, route_entries
from secondpost.setup.importing.opensmtpd.hiding import secrets_in
from secondpost.setup.importing.opensmtpd.ledger import SmtpdLedger
from secondpost.setup.importing.opensmtpd.lexer import SmtpdStatement, SmtpdSyntax, parts_of
from secondpost.setup.importing.opensmtpd.matching import ReachOfRule
from secondpost.setup.importing.opensmtpd.new_grammar import NewGrammar
from secondpost.setup.importing.opensmtpd.old_grammar import OldGrammar
from secondpost.setup.importing.opensmtpd.statements import (
    SmtpdFor,
    SmtpdListener,
    SmtpdLocal,
    SmtpdPki,
    SmtpdRelay,
    SmtpdRule,
    SmtpdSaid,
    SmtpdSetting,
)
from secondpost.setup.importing.opensmtpd.strangers import Strangers
from secondpost.setup.importing.opensmtpd.targets import RelayTarget, target_of
from secondpost.setup.importing.opensmtpd.unused import account_for_rest
from secondpost.setup.importing.opensmtpd.words import Declared
from secondpost.setup.importing.owners import WHY_CARRIED, OldAlias, owner_in

SIZE_OCTETS_LEAST, SIZE_OCTETS_MOST = 64_000, 1_000_000_000  # bounds of max_size
_SCALED = re.compile(r"(\d{1,15})([BKMGT]?)", re.IGNORECASE)  # scan_scaled(3)
_FACTORS = {"": 1, "B": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_DELIMITERS = "#$&'*+-/=?^_`{|}~"


def read_opensmtpd(files: OldFiles, path: str) -> ImportedServer:
    """6.4 and later. Raises OldConfigFaults."""
    return _SmtpdReading(files, path, is_old=False).imported()


def read_old_opensmtpd(files: OldFiles, path: str) -> ImportedServer:
    """Before 6.4. Raises OldConfigFaults."""
    return _SmtpdReading(files, path, is_old=True).imported()


def said_of(files: OldFiles, statements: Iterable[SmtpdStatement], *, is_old: bool) -> list[SmtpdSaid]:
    """What the statements say. Raises OldConfigFaults with all that cannot be read."""
    declared = Declared(files)
    grammar = OldGrammar(declared) if is_old else NewGrammar(declared)
    said: list[SmtpdSaid] = []
    faults: list[OldFault] = []
    for statement in statements:
        try:
            said.append(grammar.said(statement))
        except SmtpdSyntax as syntax:
            faults.append(OldFault(statement.place, str(syntax)))
    if len(faults) > 0:
        raise OldConfigFaults(tuple(faults))
    return said


@dataclass(slots=True)
class _SmtpdReading:
    files: OldFiles
    path: str
    is_old: bool
    ledger: SmtpdLedger = field(default_factory=SmtpdLedger)

    def imported(self) -> ImportedServer:
        parts = parts_of(self.files, self.path)
        statements = [part for part in parts if isinstance(part, SmtpdStatement)]
        said = said_of(self.files, statements, is_old=self.is_old)
        self.ledger.open(statements, secrets_in(said))
        rules = [one for one in said if isinstance(one, SmtpdRule)]
        listeners = [one for one in said if isinstance(one, SmtpdListener)]
        pkis = [one for one in said if isinstance(one, SmtpdPki)]
        strangers = Strangers(rules, listeners, self.is_old)
        doors = DoorReader(self.files, self.ledger, listeners, pkis).read()
        smart_host, secrets, smart_rule = self._smart_host(rules, strangers)
        first = 0 if smart_host is None else 1
        settings = [one for one in said if isinstance(one, SmtpdSetting)]
        more = self._limits(settings)
        made = BackupMaker(
            strangers, self.ledger, doors.hostname, more, first, MadeBackups(secrets=secrets)
        ).make()
        self._say_limits(settings, len(made.backups))
        owner = self._owner(rules, made, doors.hostname or "")
        account_for_rest(self.ledger, said, strangers, made, smart_rule)
        server = OldServer.OLD_OPENSMTPD if self.is_old else OldServer.OPENSMTPD
        answers = replace(_answers(doors, made, smart_host), owner=owner)
        return ImportedServer(server, answers, made.lists, tuple(self.ledger.lines()), made.secrets)

    def _smart_host(
        self, rules: Sequence[SmtpdRule], strangers: Strangers
    ) -> tuple[SmartHostAnswer | None, dict[str, str], SmtpdRule | None]:
        """The host by which mail of the machine itself, or of those who log in, leaves."""
        secrets: dict[str, str] = {}
        for rule in rules:
            if rule.destination.kind is not SmtpdFor.ANY or rule.destination.condition.is_not:
                continue
            if not isinstance(rule.action, SmtpdRelay) or strangers.reach(rule) is not ReachOfRule.NONE:
                continue
            target = target_of(rule.action, "", is_old=self.is_old)
            if not isinstance(target, RelayTarget) or target.is_here:
                return None, secrets, None
            return self._smart_answer(rule, target, secrets), secrets, rule
        return None, secrets, None

    def _smart_answer(self, rule: SmtpdRule, target: RelayTarget, secrets: dict[str, str]) -> SmartHostAnswer:
        entries = {entry.key: entry for entry in route_entries(target, secrets)}
        why = (
            "Secondpost's own mail leaves by this server: confirmations, alarms and issues. Mail of local "
            "programs, and of people who log in, is not taken."
        )
        keys: list[KeyPath] = [("route", 0, key) for key in entries]
        self.ledger.say(rule.statement, Fate.CHANGED, why, *keys)
        if rule.action_statement is not None:
            self.ledger.say(rule.action_statement, Fate.CARRIED, "", *keys)
        more = (entries["tls"],) if "tls" in entries else ()
        password = next(iter(secrets), None)
        return SmartHostAnswer(str(target.host), target.username, password, more=more)

    def _owner(self, rules: Sequence[SmtpdRule], made: MadeBackups, hostname: str) -> tuple[str, ...]:
        """As the aliases have it by which mail is delivered on the machine."""
        actions = [rule.action for rule in rules if isinstance(rule.action, SmtpdLocal)]
        relayed = frozenset(one.domain for one in made.backups)
        for table in dict.fromkeys(action.alias for action in actions if action.alias is not None):
            by_name = {one.key: one for one in table.entries if one.value is not None}
            aliases = (OldAlias(one.key, one.value or "", one.place, "") for one in by_name.values())
            found = owner_in(aliases, relayed, hostname)
            if found is not None:
                self.ledger.say_of(by_name[found.alias.name], Fate.CARRIED, WHY_CARRIED, ("owner",))
                made.used.setdefault(table.name or "", []).append(("owner",))
                return found.addresses
        return NOT_ANSWERED.owner

    def _limits(self, settings: Sequence[SmtpdSetting]) -> tuple[Entry, ...]:
        """What applies to every backup domain."""
        entries = [_limit(one) for one in settings]
        return tuple({one.key: one for one in entries if one is not None}.values())

    def _say_limits(self, settings: Sequence[SmtpdSetting], backups: int) -> None:
        for one in settings:
            entry = _limit(one)
            if entry is None:
                continue
            if backups == 0:
                self.ledger.say(
                    one.statement, Fate.NOT_CARRIED, "There is no backup domain that it would be for."
                )
                continue
            keys: list[KeyPath] = [("backup", number, entry.key) for number in range(backups)]
            fate, why = _LIMIT_FATES[entry.key]
            self.ledger.say(one.statement, fate, why, *keys)


_LIMIT_FATES = {
    "max_size": (Fate.CARRIED, ""),
    "keep": (
        Fate.CHANGED,
        "After that a message does not go back to its sender: it is kept until you decide.",
    ),
    "delimiters": (Fate.CARRIED, ""),
}


def _limit(setting: SmtpdSetting) -> Entry | None:
    """The key of a backup that a setting becomes."""
    match setting.name:
        case "smtp max-message-size":
            return _size(setting.value)
        case "queue ttl":
            return keep_entry(setting.value)
        case "smtp sub-addr-delim" if setting.value in _DELIMITERS:
            return Entry("delimiters", toml_text(setting.value))
        case _:
            return None


def _size(value: str) -> Entry | None:
    match = _SCALED.fullmatch(value)
    if match is None:
        return None
    octets = int(match[1]) * _FACTORS[match[2].upper()]
    return Entry("max_size", toml_text(f"{min(max(octets, SIZE_OCTETS_LEAST), SIZE_OCTETS_MOST)} B"))


def _answers(doors: OldDoors, made: MadeBackups, smart_host: SmartHostAnswer | None) -> Answers:
    return replace(
        NOT_ANSWERED,
        hostname=doors.hostname or NOT_ANSWERED.hostname,
        listen=doors.listen,
        certificate=doors.certificate,
        key=doors.key,
        backups=tuple(made.backups),
        smart_host=smart_host,
        others=tuple(made.routes),
    )
