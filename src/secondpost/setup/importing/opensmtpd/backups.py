"""The backup domains, their lists of recipients and their next hops, from the rules for strangers."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from secondpost.config.addresses import full_domain
from secondpost.config.faults import Wrong
from secondpost.config.positions import KeyPath
from secondpost.config.recipients import recipient
from secondpost.mail.address import Domain
from secondpost.setup.answers import BackupAnswer, Entries, Entry, OtherTable, toml_text
from secondpost.setup.importing.carried import Fate
from secondpost.setup.importing.opensmtpd.differences import differences
from secondpost.setup.importing.opensmtpd.entries import keep_entry, route_entries
from secondpost.setup.importing.opensmtpd.ledger import SmtpdLedger
from secondpost.setup.importing.opensmtpd.statements import SmtpdLocal, SmtpdRelay, SmtpdRule
from secondpost.setup.importing.opensmtpd.strangers import DomainWay, Strangers, names_address
from secondpost.setup.importing.opensmtpd.tables import SmtpdTable, TableEntry
from secondpost.setup.importing.opensmtpd.targets import ByDns, NoTarget, RelayTarget, target_of

LISTS = "recipients"  # a folder beside the new file

TAKES_ALL = (
    'It takes mail for every address, as before; with recipients = ["learn"] the primary is asked which '
    "exist, and mail for others is refused at once."
)
POSTMASTER = "Mail to postmaster is always taken here (RFC 5321 §4.5.1), though it was not listed."
ALIASES = (
    "Each alias is an address that exists; where it leads is the business of the server with the mailboxes."
)
LOCAL_LIST = (
    "Its addresses of {domain} are in {name}, for a [[backup]] of the domain once another server has it."
)


@dataclass(slots=True)
class MadeBackups:
    """What the rules give."""

    backups: list[BackupAnswer] = field(default_factory=list)
    routes: list[OtherTable] = field(default_factory=list)
    lists: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    used: dict[str, list[KeyPath]] = field(default_factory=dict)  # by name of a table: where it lives on


@dataclass(slots=True)
class BackupMaker:
    """`more`: entries for every backup; `first_route`: the number of routes before ours; `hostname`: the
    old server's name, if known.
    """

    strangers: Strangers
    ledger: SmtpdLedger
    hostname: str | None
    more: Entries
    first_route: int
    made: MadeBackups = field(default_factory=MadeBackups)

    def make(self) -> MadeBackups:
        for name in self.strangers.domains():
            way = self.strangers.way_of(name)
            if way.is_relayed:
                self._backup(way)
            else:
                self._local_lists(way)
        return self.made

    def _backup(self, way: DomainWay) -> None:
        try:
            domain = full_domain(way.domain)
        except Wrong as wrong:
            self._refuse(way, f"{way.domain} is not a domain that can be backed up: {wrong.reason}.")
            return
        if self.hostname is not None and domain.name == self.hostname.lower():
            self._refuse(way, f"{domain} is this server's own name, which has no primary behind it.")
            return
        chosen = way.takes_rest or way.relays[0]
        target = self._target(chosen, domain.name)
        if isinstance(target, NoTarget):
            self._refuse(way, f"{domain}: {target.reason}")
            return
        if isinstance(target, RelayTarget) and target.is_here:
            why = (
                f"{domain} goes to {target.host}, a program on the old machine itself, such as a filter. If "
                "that is the domain's mail server, write a [[backup]] with this primary."
            )
            self._refuse(way, why)
            return
        place: KeyPath = ("backup", len(self.made.backups))
        sources = self._sources(way, domain, place)
        if len(sources) == 0:
            self._refuse(way, f"Of {domain}, no address can be listed.")
            return
        primary = (str(target.host),) if isinstance(target, RelayTarget) and not target.needs_route else ()
        self.made.backups.append(BackupAnswer(domain.name, sources, primary, self._more(chosen)))
        keys = [(*place, "domain"), *([(*place, "primary")] if len(primary) > 0 else [])]
        if isinstance(target, RelayTarget) and target.needs_route:
            keys.append(self._route(domain, target))
        self._account(way, chosen, keys, place)

    def _target(self, rule: SmtpdRule, domain: str) -> RelayTarget | ByDns | NoTarget:
        if not isinstance(rule.action, SmtpdRelay):
            return NoTarget("It is delivered on the old machine.")
        return target_of(rule.action, domain, is_old=self.strangers.is_old)

    def _refuse(self, way: DomainWay, why: str) -> None:
        for rule in way.relays:
            self.ledger.say(rule.statement, Fate.NOT_CARRIED, why)

    def _more(self, rule: SmtpdRule) -> Entries:
        ttl = rule.action.ttl if rule.action is not None else None
        keep = None if ttl is None else keep_entry(ttl)
        if keep is None:
            return self.more
        return (*(entry for entry in self.more if entry.key != "keep"), keep)

    def _sources(self, way: DomainWay, domain: Domain, place: KeyPath) -> tuple[str, ...]:
        """The recipients: a list, if the old server had one, and `learn` if it took others too. Empty if
        there is a list, and nothing in it.
        """
        if way.takes_all:
            self._account_recipients(way, place)
            return ("any",)
        entries = [entry for entry, _ in way.listed]
        only = way.only if way.takes_rest is not None else None
        lines = self._checked([*entries, *(only or ())], domain)
        is_learned = way.takes_rest is not None and only is None
        if len(lines) == 0:
            return ("learn",) if is_learned else ()
        self._account_recipients(way, place)
        name = f"{LISTS}/{domain}"
        self.made.lists[name] = "".join(f"{line}\n" for line in dict.fromkeys(lines))
        return ("learn", f"file:{name}") if is_learned else (f"file:{name}",)

    def _checked(self, entries: Sequence[TableEntry], domain: Domain) -> list[str]:
        """The local parts, without those that are no addresses here."""
        lines = []
        for entry in entries:
            local, at, _ = entry.key.rpartition("@")
            name = local if len(at) > 0 else entry.key
            try:
                lines.append(recipient(f"{name}@{domain}", domain).local)
            except Wrong as wrong:
                self.ledger.say_of(entry, Fate.NOT_CARRIED, f"It is no address: {wrong.reason}.")
        return lines

    def _account_recipients(self, way: DomainWay, place: KeyPath) -> None:
        for rule in (*way.relays, *way.refuses):
            if rule.recipient is not None:
                self._uses(rule.recipient.table, [(*place, "recipients")])

    def _uses(self, table: SmtpdTable | None, keys: list[KeyPath]) -> None:
        if table is not None and table.name is not None:
            self.made.used.setdefault(table.name, []).extend(keys)

    def _route(self, domain: Domain, target: RelayTarget) -> KeyPath:
        """TLS or a login for the primary: a route of the domain."""
        entries = [Entry("domain", toml_text(domain.name)), Entry("lane", toml_text("relay"))]
        entries += route_entries(target, self.made.secrets)
        self.made.routes.append(OtherTable("[[route]]", tuple(entries)))
        return ("route", self.first_route + len(self.made.routes) - 1, "host")

    def _account(self, way: DomainWay, chosen: SmtpdRule, keys: list[KeyPath], place: KeyPath) -> None:
        recipients: KeyPath = (*place, "recipients")
        for rule in way.relays:
            mine = [*keys, recipients] if rule.recipient is not None else keys
            if rule is not chosen and self._target(rule, way.domain) != self._target(chosen, way.domain):
                why = f"Some addresses of {way.domain} went elsewhere; here all go the same way."
                self.ledger.say(rule.statement, Fate.CHANGED, why, *mine)
                continue
            whys = differences(rule, way, self.strangers)
            if rule is chosen and self._adds_postmaster(way):
                whys.append(POSTMASTER)
            for why in whys:
                self.ledger.say(rule.statement, Fate.CHANGED, why, *mine)
            if len(whys) == 0:
                self.ledger.say(rule.statement, Fate.CARRIED, "", *mine)
            if rule is way.takes_rest and way.takes_all:
                self.ledger.remark(rule.statement, TAKES_ALL)
            if rule.action_statement is not None:
                self.ledger.say(rule.action_statement, Fate.CARRIED, "", *keys)
            self._account_tables(rule, keys)
        if not way.takes_all and "learn" not in self.made.backups[-1].recipients:
            for rule in way.refuses:  # its list has only what they leave
                self.ledger.say(rule.statement, Fate.CARRIED, "", recipients)

    def _adds_postmaster(self, way: DomainWay) -> bool:
        """Whether its list alone decides, and does not have postmaster."""
        backup = self.made.backups[-1]
        if way.takes_all or "learn" in backup.recipients:
            return False
        return "postmaster" not in self.made.lists[f"{LISTS}/{backup.domain}"].lower().split()

    def _account_tables(self, rule: SmtpdRule, keys: list[KeyPath]) -> None:
        tables = [rule.destination.condition.table]
        if isinstance(rule.action, SmtpdRelay):
            tables += [rule.action.host, rule.action.by_domain, rule.action.auth]
        for table in tables:
            self._uses(table, keys)

    def _local_lists(self, way: DomainWay) -> None:
        """Of a domain whose mailboxes were here, the addresses that its aliases name."""
        for rule in way.delivers:
            if not isinstance(rule.action, SmtpdLocal) or rule.action.virtual is None:
                continue
            table: SmtpdTable = rule.action.virtual
            entries = [one for one in table.entries if names_address(one.key, way.domain)]
            try:
                domain = full_domain(way.domain)
            except Wrong:
                continue
            lines = self._checked(entries, domain)
            name = f"{LISTS}/{domain}"
            if len(lines) > 0 and name not in self.made.lists:
                self.made.lists[name] = "".join(f"{line}\n" for line in dict.fromkeys(lines))
                why = f"{LOCAL_LIST.format(domain=domain, name=name)} {ALIASES}"
                self._uses(table, [])
                self.ledger.say_of(TableEntry(table.written, None, table.place), Fate.CHANGED, why)
