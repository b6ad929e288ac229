"""Read Postfix's configuration: its folder, its main.cf, or the output of postconf -n.

Nothing is accepted here that Postfix refused from a stranger: each domain is carried only if a client
and a sender that are in no list of Postfix's could send mail to it.
"""

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass

from secondpost.mail.address import Endpoint
from secondpost.setup.answers import (
    NOT_ANSWERED,
    Answers,
    OtherTable,
    SmartHostAnswer,
)
from secondpost.setup.importing.carried import (
    Fate,
    ImportedServer,
    OldConfigFaults,
    OldFault,
    OldPlace,
    OldServer,
)
from secondpost.setup.importing.old_files import NotRead, OldFiles
from secondpost.setup.importing.owners import WHY_CARRIED, aliases_of, owner_in
from secondpost.setup.importing.postfix.checks import say_domains, say_policies, say_tables
from secondpost.setup.importing.postfix.domains import (
    DomainCarrier,
    OwnPlaces,
    candidates,
    tls_entries,
)
from secondpost.setup.importing.postfix.doors import PostfixDoors
from secondpost.setup.importing.postfix.ledger import PostfixLedger
from secondpost.setup.importing.postfix.limits import usual_entries
from secondpost.setup.importing.postfix.logins import OldLogins
from secondpost.setup.importing.postfix.machine import machine_answers, machine_defaults
from secondpost.setup.importing.postfix.names import NameList, has_all_addresses, name_list
from secondpost.setup.importing.postfix.policy import (
    KnownRecipients,
    OldClass,
    OldDomains,
    OldPolicy,
    in_order,
)
from secondpost.setup.importing.postfix.recipient_answers import RecipientAnswers
from secondpost.setup.importing.postfix.recipients import survey
from secondpost.setup.importing.postfix.restrictions import STAGES, StepReader
from secondpost.setup.importing.postfix.services import (
    SMTP_PORT,
    NotService,
    OldService,
    services,
)
from secondpost.setup.importing.postfix.settings import ExpansionWrong, PostfixSettings
from secondpost.setup.importing.postfix.statements import MainStatement, NotMainStatement, statements
from secondpost.setup.importing.postfix.tables import (
    INDEXED,
    OldTable,
    TableReader,
    TableValue,
    keys_of,
)
from secondpost.setup.importing.postfix.ways import OldWays
from secondpost.setup.importing.postfix.words import words

MAIN, MASTER = "main.cf", "master.cf"
REWRITING = ("recipient_canonical_maps", "canonical_maps", "virtual_alias_maps")
KNOWN = {OldClass.LOCAL: "local_recipient_maps", OldClass.RELAY: "relay_recipient_maps"}


def read_postfix(files: OldFiles, path: str) -> ImportedServer:
    """`path`: a folder with main.cf, or the file itself. Raises OldConfigFaults if it cannot be read, or
    a value cannot be expanded.
    """
    main_path, text = _main(files, path)
    read = tuple(statements(text, main_path))
    if not any(isinstance(one, MainStatement) for one in read):
        raise OldConfigFaults((OldFault(OldPlace(main_path, 0), "it has no line NAME = VALUE"),))
    folder = posixpath.dirname(main_path) or "/etc/postfix"
    served = _services(files, posixpath.join(folder, MASTER), is_beside=main_path != path or "/" in path)
    main = {one.name: one for one in read if isinstance(one, MainStatement)}
    settings = PostfixSettings(main, machine_defaults(files, main))
    try:
        return _Reading(files, main_path, folder, settings, read, PostfixDoors(served)).imported()
    except ExpansionWrong as wrong:
        raise OldConfigFaults(tuple(_unexpandable(settings, main_path, str(wrong)))) from None


def _main(files: OldFiles, path: str) -> tuple[str, str]:
    folder = files.names(path)
    main_path = path if isinstance(folder, NotRead) else posixpath.join(path, MAIN)
    text = files.text(main_path)
    if isinstance(text, NotRead):
        raise OldConfigFaults((OldFault(OldPlace(main_path, 0), f"it {text.reason}"),))
    return main_path, text


def _services(files: OldFiles, path: str, *, is_beside: bool) -> tuple[OldService | NotService, ...]:
    text = files.text(path) if is_beside else NotRead("")
    return () if isinstance(text, NotRead) else tuple(services(text, path))


def _unexpandable(settings: PostfixSettings, path: str, reason: str) -> list[OldFault]:
    faults = []
    for one in settings.main.values():
        try:
            settings.text(one.name)
        except ExpansionWrong as wrong:
            faults.append(OldFault(one.place, f"{one.name}: {wrong}; correct it and start again"))
    return faults or [OldFault(OldPlace(path, 0), reason)]


@dataclass(frozen=True, slots=True)
class _Reading:
    files: OldFiles
    path: str
    folder: str
    main: PostfixSettings
    read: Sequence[MainStatement | NotMainStatement]
    doors: PostfixDoors

    def imported(self) -> ImportedServer:
        ledger = PostfixLedger(self.path)
        reader = TableReader(self.files, self.folder)
        doors = self.doors.open
        scopes = [self.main.of_service(self.doors.own_of(door)) for door in doors] or [self.main]
        settings = scopes[0]
        domains = self._domains(settings, reader)
        policies = [self._policy(scope, self._domains(scope, reader), reader) for scope in scopes]
        say_policies(policies, ledger)
        known = survey(policies, settings.text("recipient_delimiter"))
        machine = machine_answers(settings, doors, ledger)
        listened_on = (Endpoint.parse(one, SMTP_PORT).host for one in machine.listen)
        own = OwnPlaces(machine.hostname, (*machine.addresses, *listened_on))
        ways = self._ways(settings, reader)
        logins = OldLogins(settings, self._tables(settings, "smtp_sasl_password_maps", reader), ledger)
        smart_host = self._smart_host(ways, logins, own, ledger)
        carrier = DomainCarrier(
            settings,
            domains,
            ways,
            known,
            logins,
            own,
            ledger,
            usual=usual_entries(settings, ledger),
            unknown="hold" if settings.text("unverified_recipient_tempfail_action") == "permit" else "defer",
            first_route=0 if smart_host is None else 1,
            answers=RecipientAnswers(settings, ledger),
        )
        transports = [key for table in ways.tables for key in keys_of(table) if "@" not in key]
        if self.doors.take_mail(ledger):
            carrier.carry(candidates(domains, known, transports))
        relayed = frozenset(backup.domain for backup in carrier.backups)
        say_domains(settings, domains, ledger, any_carried=len(carrier.backups) > 0)
        say_tables(policies, ways, carrier.open_domains, ledger)
        self.doors.say(ledger)
        receive = OtherTable("[receive]", machine.receive)
        answers = Answers(
            hostname=machine.hostname,
            store=NOT_ANSWERED.store,
            owner=self._owner(settings, relayed, ledger),
            backups=tuple(carrier.backups),
            addresses=machine.addresses,
            smart_host=smart_host,
            certificate=machine.certificate,
            key=machine.key,
            listen=machine.listen,
            others=(
                *((receive,) if len(machine.receive) > 0 else ()),
                *(OtherTable("[[route]]", entries) for entries in carrier.routes),
            ),
        )
        scope = doors[0].name if len(doors) > 0 else ""
        report = ledger.report(self.read, self.doors.services, scope)
        return ImportedServer(OldServer.POSTFIX, answers, carrier.answers.lists, report, logins.passwords)

    def _owner(
        self, settings: PostfixSettings, relayed: frozenset[str], ledger: PostfixLedger
    ) -> tuple[str, ...]:
        for name in words(settings.text("alias_maps")):
            kind, _, path = name.partition(":")
            text = self.files.text(path) if kind in INDEXED and path.startswith("/") else NotRead("")
            if isinstance(text, NotRead):
                continue
            found = owner_in(aliases_of(text, path), relayed, settings.text("myhostname"))
            if found is not None:
                entry = TableValue(found.alias.targets, found.alias.place, found.alias.text)
                ledger.table(entry, Fate.CARRIED, WHY_CARRIED, ("owner",))
                return found.addresses
        return NOT_ANSWERED.owner

    # -- who could deliver

    def _policy(self, settings: PostfixSettings, domains: OldDomains, reader: TableReader) -> OldPolicy:
        steps = StepReader(reader)
        stages = {
            stage: steps.steps(settings.text(STAGES[stage]), stage, self._place(STAGES[stage]))
            for stage in in_order(settings.is_on("smtpd_relay_before_recipient_restrictions"))
        }
        classes = words(settings.text("smtpd_restriction_classes"))
        recipients = KnownRecipients(
            {one: self._tables(settings, name, reader) for one, name in KNOWN.items()},
            [table for name in REWRITING for table in self._tables(settings, name, reader)],
        )
        return OldPolicy(
            domains,
            recipients,
            stages,
            {name.lower(): settings.text(name) for name in classes},
            trusts_all=has_all_addresses(words(settings.text("mynetworks"))),
            takes_below="smtpd_access_maps" in self._parents(settings),
            checks_listed=settings.is_on("smtpd_reject_unlisted_recipient"),
            steps=steps,
        )

    def _domains(self, settings: PostfixSettings, reader: TableReader) -> OldDomains:
        asked = [one for one in OldClass if one is not OldClass.ELSEWHERE]
        return OldDomains({one: self._names(settings, one.value, reader) for one in asked})

    def _names(self, settings: PostfixSettings, name: str, reader: TableReader) -> NameList:
        takes_below = name in self._parents(settings)
        return name_list(settings.text(name), self._place(name), reader, takes_below=takes_below)

    def _parents(self, settings: PostfixSettings) -> tuple[str, ...]:
        return words(settings.text("parent_domain_matches_subdomains"))

    def _tables(self, settings: PostfixSettings, name: str, reader: TableReader) -> tuple[OldTable, ...]:
        return tuple(reader.table(word, self._place(name)) for word in words(settings.text(name)))

    def _place(self, name: str) -> OldPlace:
        statement = self.main.main.get(name)
        return OldPlace(self.path, 0) if statement is None else statement.place

    # -- where mail goes

    def _ways(self, settings: PostfixSettings, reader: TableReader) -> OldWays:
        inside = (one for one in self.doors.services if isinstance(one, OldService) and one.kind == "unix")
        programs = {one.name: one.command for one in inside}
        tables = self._tables(settings, "transport_maps", reader)
        takes_below = "transport_maps" in self._parents(settings)
        return OldWays(settings, tables, programs, takes_below)

    def _smart_host(
        self, ways: OldWays, logins: OldLogins, own: OwnPlaces, ledger: PostfixLedger
    ) -> SmartHostAnswer | None:
        """relayhost, for mail of this server's own; domains that went by it name it themselves."""
        way = ways.relay_host()
        if way is None:
            return None
        if own.has(way.hosts[0]):
            ledger.not_carried("relayhost", "It is this server itself.")
            return None
        login = logins.at(way, ("route", 0))
        if way.asks_mx:
            why = f"Postfix asked for the MX records of {way.written}; here it is the host itself."
            ledger.changed("relayhost", why, ("route", 0, "host"))
        else:
            ledger.carried("relayhost", ("route", 0, "host"))
        return SmartHostAnswer(
            way.hosts[0],
            None if login is None else login.username,
            None if login is None else login.file,
            more=tls_entries(ways.settings),
        )
