"""A [[backup]] for each domain that Postfix relayed, for which a stranger could send mail."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from secondpost.config.addresses import full_domain
from secondpost.config.faults import Wrong
from secondpost.mail.address import Domain, Endpoint, as_ip
from secondpost.setup.answers import BackupAnswer, Entries, Entry, toml_text
from secondpost.setup.importing.carried import Fate
from secondpost.setup.importing.postfix.ledger import PostfixLedger
from secondpost.setup.importing.postfix.logins import OldLogins
from secondpost.setup.importing.postfix.policy import OldClass, OldDomains
from secondpost.setup.importing.postfix.recipient_answers import RecipientAnswers
from secondpost.setup.importing.postfix.recipients import OldRecipients, Openness, RecipientSurvey
from secondpost.setup.importing.postfix.services import SMTP_PORT
from secondpost.setup.importing.postfix.settings import PostfixSettings
from secondpost.setup.importing.postfix.tables import Unknowable
from secondpost.setup.importing.postfix.ways import NamedHosts, NotPassedOn, OldWay, OldWays

RELAY_DOMAINS = "relay_domains"
DOMAINS_MAX = 50_000
_TLS_DEMANDS = {"encrypt": "encrypt", "verify": "verify", "secure": "verify"}


@dataclass(frozen=True, slots=True)
class OwnPlaces:
    """What leads to this server itself: mail passed on there would go round."""

    hostname: str
    addresses: tuple[str, ...]

    def has(self, host: str) -> bool:
        endpoint = Endpoint.parse(host, SMTP_PORT)
        if endpoint.host in (self.hostname, *self.addresses):
            return True
        address = as_ip(endpoint.host)
        is_here = endpoint.host == "localhost" or (address is not None and address.is_loopback)
        return is_here and endpoint.port == SMTP_PORT


@dataclass(slots=True)
class DomainCarrier:
    """Makes the answers for one domain after the other; `routes`: entries of each [[route]], by number
    from `first_route`.
    """

    settings: PostfixSettings
    domains: OldDomains
    ways: OldWays
    survey: RecipientSurvey
    logins: OldLogins
    own: OwnPlaces
    ledger: PostfixLedger
    usual: Entries  # of every [[backup]]: keep, max_size, delimiters
    unknown: str  # as `unknown` of a [[backup]], where the primary is asked
    first_route: int
    answers: RecipientAnswers
    backups: list[BackupAnswer] = field(default_factory=list)
    routes: list[Entries] = field(default_factory=list)

    def carry(self, candidates: Mapping[str, None]) -> None:
        for number, name in enumerate(candidates):
            if number >= DOMAINS_MAX:
                self.ledger.changed(RELAY_DOMAINS, f"Only the first {DOMAINS_MAX} domains are carried.")
                return
            self._domain(name)

    @property
    def open_domains(self) -> tuple[str, ...]:
        """The domains that are carried without a list of all their recipients."""
        names = (answer.domain for answer in self.backups if not answer.recipients[0].startswith("file:"))
        return tuple(names)

    def _domain(self, name: str) -> None:
        its_class = self.domains.class_of(name)
        if its_class is OldClass.ELSEWHERE:
            why = f"{name} is named, but not so that Postfix is known to have relayed it: it is left out."
            self.ledger.changed(RELAY_DOMAINS, why)
            return
        if its_class is not OldClass.RELAY:
            why = f"{name} was not relayed: {its_class} has it too, and counts before {RELAY_DOMAINS}."
            self.ledger.changed(RELAY_DOMAINS, why)
            return
        try:
            domain = full_domain(name)
        except Wrong as wrong:
            self.ledger.changed(RELAY_DOMAINS, f"{wrong}: it is left out.")
            return
        if domain.name == self.own.hostname:
            self.ledger.changed(RELAY_DOMAINS, f"{name} is this server's own name, and cannot be backed up.")
            return
        way = self.ways.way(name)
        known = self.survey.of(name)
        if not self._is_refused(name, way, known):
            self._backup(domain, way, known)

    def _is_refused(self, name: str, way: OldWay | Unknowable, known: OldRecipients) -> bool:
        """Whether the domain is not carried, which is then said."""
        alias = self.survey.alias_of_all(name)
        if isinstance(way, NotPassedOn):
            self._leave_out(name, way, way.why)
        elif isinstance(way, NamedHosts) and any(self.own.has(host) for host in way.hosts):
            self._leave_out(
                name, way, f"{way.written} is this server itself: mail would go round in circles."
            )
        elif alias is not None:
            why = f"Mail for all of {name} was rewritten to {alias.value}; here no address is rewritten."
            self.ledger.table(alias, Fate.NOT_CARRIED, why)
            self.ledger.changed(RELAY_DOMAINS, f"{name} is left out: all its mail was rewritten.")
        elif known.openness is Openness.CLOSED:
            because = known.ruling.because
            self.ledger.changed(
                RELAY_DOMAINS, f"{name} is left out: strangers' mail was refused by {because}."
            )
        else:
            return False
        return True

    def _leave_out(self, name: str, way: NamedHosts | NotPassedOn, why: str) -> None:
        self.ledger.changed(RELAY_DOMAINS, f"{name} is left out. {why}")
        self.ledger.not_carried(way.by, f"{name}: {why}")
        if way.entry is not None:
            self.ledger.table(way.entry, Fate.NOT_CARRIED, why)

    def _backup(self, domain: Domain, way: OldWay | Unknowable, known: OldRecipients) -> None:
        number = len(self.backups)
        recipients = self.answers.of(domain, known, number)
        if len(recipients) == 0:
            self.ledger.changed(RELAY_DOMAINS, f"{domain} is left out: none of its recipients is an address.")
            return
        asks = "learn" in recipients
        unknown = (Entry("unknown", toml_text(self.unknown)),) if asks else ()
        answer = BackupAnswer(domain.name, recipients, (), (*self.usual, *unknown))
        if isinstance(way, NamedHosts):
            answer = self._passed_on(answer, way, number)
        elif isinstance(way, Unknowable):
            self.ledger.not_carried(
                "transport_maps", f"{way.reason} Name the hosts of {domain} in `primary`."
            )
        elif way.entry is not None:
            self.ledger.table(way.entry, Fate.CARRIED, "The MX hosts of the domain are asked.")
            self.ledger.carried("transport_maps")
        demand = self.settings.text("smtp_tls_security_level")
        if not isinstance(way, NamedHosts) and demand in _TLS_DEMANDS:
            why = f"For {domain} TLS is used if its MX hosts offer it; `tls` of a [[route]] demands it."
            self.ledger.changed("smtp_tls_security_level", why)
        self.backups.append(answer)
        self.ledger.carried(RELAY_DOMAINS, ("backup", number, "domain"))

    def _passed_on(self, answer: BackupAnswer, way: NamedHosts, number: int) -> BackupAnswer:
        """The domain with its primary, or with a [[route]] where a login or TLS is demanded."""
        route = self.first_route + len(self.routes)
        login = self.logins.at(way, ("route", route))
        demand = _TLS_DEMANDS.get(self.settings.text("smtp_tls_security_level"))
        hosts = list(way.hosts)
        hosts += [host for host in self._fallback() if host not in hosts]
        if login is None and (demand is None or len(hosts) > 1):
            becomes: tuple[str | int, ...] = ("backup", number, "primary")
            if demand is not None:
                why = f"For {answer.domain} TLS is used if its hosts offer it; a [[route]] demands it of one."
                self.ledger.changed("smtp_tls_security_level", why)
            self._say_way(way, becomes)
            return replace(answer, primary=tuple(hosts))
        entries = [Entry("domain", toml_text(answer.domain)), Entry("lane", toml_text("relay"))]
        entries.append(Entry("host", toml_text(hosts[0])))
        if login is not None:
            entries.append(Entry("username", toml_text(login.username)))
            entries.append(Entry("password_file", toml_text(login.file)))
        entries += tls_entries(self.settings)
        if demand is not None:
            self.ledger.carried("smtp_tls_security_level", ("route", route, "tls"))
        if len(hosts) > 1:
            self.ledger.changed(way.by, f"Of the hosts for {answer.domain} only {hosts[0]} is tried.")
        self.routes.append(tuple(entries))
        self._say_way(way, ("route", route, "host"))
        return answer

    def _fallback(self) -> tuple[str, ...]:
        hop = self.settings.text("smtp_fallback_relay")
        hosts = self.ways.hosts_of(hop)
        if len(hosts) == 0 or any(self.own.has(host) for host in hosts):
            return ()
        self.ledger.carried(
            "smtp_fallback_relay", why="It is tried after the others, where `primary` names any."
        )
        return hosts

    def _say_way(self, way: NamedHosts, becomes: tuple[str | int, ...]) -> None:
        remark = ""
        if way.asks_mx:
            remark = f"Postfix asked for the MX records of {way.written}; here it is the host itself."
            self.ledger.changed(way.by, remark, becomes)
        else:
            self.ledger.carried(way.by, becomes)
        if way.entry is not None:
            fate = Fate.CHANGED if way.asks_mx else Fate.CARRIED
            self.ledger.table(way.entry, fate, remark, becomes)


def tls_entries(settings: PostfixSettings) -> Entries:
    """What Postfix demanded of every server that it sent to, as an entry of a [[route]]."""
    demand = _TLS_DEMANDS.get(settings.text("smtp_tls_security_level").lower())
    return () if demand is None else (Entry("tls", toml_text(demand)),)


def candidates(domains: OldDomains, survey: RecipientSurvey, more: Sequence[str]) -> Mapping[str, None]:
    """The domains of relay_domains, and those that other tables name and it covers. `more`: keys of
    transport_maps.
    """
    return dict.fromkeys(_candidates(domains, survey, more))


def _candidates(domains: OldDomains, survey: RecipientSurvey, more: Sequence[str]) -> Iterator[str]:
    relayed = domains.lists[OldClass.RELAY]
    for name in relayed.names():
        yield name.strip(".").rpartition("@")[2]
    for name in (*more, *survey.locals_by_domain):
        if relayed.match(name) is True:
            yield name
