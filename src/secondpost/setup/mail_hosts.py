"""The MX records of a backup domain, and our place among them; and those of `bounces`. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from secondpost.config.records import Backup
from secondpost.mail.address import Domain
from secondpost.mail.dns_questions import Alias, AskingZone
from secondpost.mail.questions import Addresses, Finding, Mx, MxAnswer, MxRecord, Txt
from secondpost.setup.diagnosis import Check, Diagnosis, Grade
from secondpost.setup.examination import WILDCARD_LABEL, Examination, in_words, no_answer, well
from secondpost.setup.own_policy import NULL_MX
from secondpost.setup.records import zone_line
from secondpost.setup.wanted_backup import FIRST_PREFERENCE, PREFERENCE_MAX

HOSTS_MAX = 10  # MX hosts of one domain that are looked at
SMTP_PORT = 25  # a primary on another port of this machine is no circle


@dataclass(frozen=True, slots=True)
class _Place:
    """An MX host, and where it leads."""

    record: MxRecord
    addresses: tuple[str, ...]
    finding: Finding
    alias: str = ""  # the host is an alias of this one

    @property
    def words(self) -> str:
        return f"{self.record.host} ({self.record.preference})"


@dataclass(frozen=True, slots=True)
class _Places:
    ours: tuple[_Place, ...]  # by the hostname
    same: tuple[_Place, ...]  # other names that lead to this machine
    others: tuple[_Place, ...]

    @property
    def has_better(self) -> bool:
        """Whether another host comes before this server, by whatever name (RFC 5321 §5.1)."""
        own = min(place.record.preference for place in (*self.ours, *self.same))
        return any(place.record.preference < own for place in self.others)


def examine_backup(it: Examination, backup: Backup) -> AskingZone[tuple[Diagnosis, ...]]:
    domain = backup.domain
    answer = it.facts.mx[domain]
    found = _unusable(domain, answer)
    if answer.finding is not Finding.FOUND:
        return (*found, *_nothing(it, domain, answer, len(found) > 0))
    if any(record.host == NULL_MX for record in answer.records):
        text = f"{domain} has a null MX (0 .), which says that it takes no mail."
        remedy = it.lines(domain.name, "MX")
        return (*found, Diagnosis(Check.MX_NULL, domain.name, Grade.FAULT, text, remedy))
    places = yield from _places(it, answer.records)
    targets = [each for place in (*places.ours, *places.same, *places.others) for each in _target(place)]
    if all(it.grade is Grade.NOTE for it in found + targets):
        targets.append(well(Check.MX_TARGET, domain.name, f"Each MX host of {domain} has an address."))
    found += targets
    found += _place(it, domain, places)
    found += _primary(it, backup, places)
    found += yield from _configured(it, backup)
    found += yield from _wildcard(it, domain)
    return tuple(found)


def _places(it: Examination, records: Sequence[MxRecord]) -> AskingZone[_Places]:
    places: list[_Place] = []
    for record in sorted(records)[:HOSTS_MAX]:
        alias = yield from Alias(record.host).ask()
        answer = yield from Addresses(record.host).ask()
        places.append(_Place(record, answer.addresses, answer.finding, alias.target))
    ours = tuple(place for place in places if place.record.host == it.host)
    own = {*it.facts.addresses, *(address for place in ours for address in place.addresses)}
    rest = [place for place in places if place.record.host != it.host]
    same = tuple(place for place in rest if not own.isdisjoint(place.addresses))
    return _Places(ours, same, tuple(place for place in rest if place not in same))


def _unusable(domain: Domain, answer: MxAnswer) -> list[Diagnosis]:
    return [
        Diagnosis(
            Check.MX_TARGET,
            domain.name,
            Grade.FAULT,
            f"An MX record of {domain} names {host}, which is an address or no valid host name.",
            f"{domain}. IN MX 10 the name of the host that has this address",
        )
        for host in answer.unusable
    ]


def _nothing(it: Examination, domain: Domain, answer: MxAnswer, is_explained: bool) -> list[Diagnosis]:
    if answer.finding is Finding.FAILED:
        return [] if is_explained else [no_answer(domain.name, f"the MX records of {domain}")]
    exists = "has no MX record" if answer.finding is Finding.NO_DATA else "does not exist in DNS"
    remedy = it.lines(domain.name, "MX")
    text = f"{domain} {exists}."
    return [Diagnosis(Check.MX_PLACE, domain.name, Grade.FAULT, text, remedy)]


def _target(place: _Place) -> list[Diagnosis]:
    host = place.record.host
    found = []
    if len(place.alias) > 0:
        text = f"{host} is an alias (CNAME) of {place.alias}; an MX record must not name an alias (RFC 2181)."
        remedy = (
            f"Name {place.alias} in the MX record, or give {host} A and AAAA records instead of the CNAME"
        )
        found.append(Diagnosis(Check.MX_TARGET, host, Grade.WARNING, text, remedy))
    if place.finding is Finding.FAILED:
        found.append(no_answer(host, f"the addresses of {host}"))
    elif any(ip_address(address).is_loopback for address in place.addresses):
        text = f"{host} is {in_words(place.addresses)}: each sender would reach only itself."
        remedy = f"{host}. IN A its public address"
        found.append(Diagnosis(Check.MX_TARGET, host, Grade.FAULT, text, remedy))
    elif len(place.addresses) > 0 and all(":" not in address for address in place.addresses):
        text, remedy = f"{host} has no IPv6 address.", f"{host}. IN AAAA its IPv6 address"
        found.append(Diagnosis(Check.IPV6, host, Grade.NOTE, text, remedy))
    elif len(place.addresses) == 0:
        text = f"{host} stands in the MX records, but has no address."
        remedy = f"{host}. IN A its address; or remove it from the MX records"
        found.append(Diagnosis(Check.MX_TARGET, host, Grade.FAULT, text, remedy))
    return found


def _place(it: Examination, domain: Domain, places: _Places) -> list[Diagnosis]:
    """Whether we are among the MX hosts, once, and behind all others."""
    name, remedy = domain.name, it.lines(domain.name, "MX")
    if len(places.ours) == 0 and len(places.same) > 0:
        words = in_words([place.words for place in places.same])
        text = f"This server stands in the MX records of {domain} as {words}, not as {it.host}."
        return [Diagnosis(Check.MX_PLACE, name, Grade.WARNING, text, remedy)]
    if len(places.ours) == 0:
        hosts = in_words([place.words for place in places.others])
        text = f"{it.host} is not among the MX records of {domain}, which are {hosts}."
        return [Diagnosis(Check.MX_PLACE, name, Grade.FAULT, text, remedy)]
    found = []
    if len(places.ours) > 1:
        text = f"{it.host} stands more than once in the MX records of {domain}; the best number counts."
        found.append(Diagnosis(Check.MX_PLACE, name, Grade.WARNING, text, f"Keep only: {remedy}"))
    else:
        found.append(
            well(Check.MX_PLACE, name, f"{places.ours[0].words} is among the MX records of {domain}.")
        )
    return found + _preference(it, domain, places)


def _preference(it: Examination, domain: Domain, places: _Places) -> list[Diagnosis]:
    ours = min(place.record.preference for place in places.ours)
    better = [place for place in places.others if place.record.preference < ours]
    equal = [place.words for place in places.others if place.record.preference == ours]
    worse = [place.words for place in places.others if place.record.preference > ours]
    remedy = it.lines(domain.name, "MX")
    if len(equal) > 0 and ours == PREFERENCE_MAX:
        remedy = f"Give {in_words(equal)} a number below {PREFERENCE_MAX}"
    if len(equal) > 0:
        text = (
            f"{it.host} has the same number ({ours}) as {in_words(equal)}: senders choose between them at "
            "random, and this server never hands mail to a host that is no better than itself."
        )
        return [Diagnosis(Check.MX_PREFERENCE, domain.name, Grade.FAULT, text, remedy)]
    if len(worse) > 0 and len(better) == 0:
        text = f"{it.host} ({ours}) comes before {in_words(worse)}: all mail of {domain} comes here first."
        return [Diagnosis(Check.MX_PREFERENCE, domain.name, Grade.FAULT, text, remedy)]
    if len(worse) > 0:
        text = f"{in_words(worse)} comes after {it.host} ({ours}), and gets no mail from it."
        return [Diagnosis(Check.MX_PREFERENCE, domain.name, Grade.WARNING, text, remedy)]
    if len(better) == 0:
        return []
    text = f"{it.host} ({ours}) comes after {in_words([place.words for place in better])}."
    return [well(Check.MX_PREFERENCE, domain.name, text)]


def _primary(it: Examination, backup: Backup, places: _Places) -> list[Diagnosis]:
    domain = backup.domain
    if len(places.ours) > 0 and len(places.same) > 0:
        words = in_words([place.words for place in places.same])
        text = f"{words} in the MX records of {domain} leads to this server itself, as {it.host} does."
        remedy = "Give that name the address of the primary, or remove it from the MX records"
        grade = Grade.WARNING if places.has_better else Grade.FAULT
        return [Diagnosis(Check.MX_LOOP, domain.name, grade, text, remedy)]
    if len(places.others) > 0:
        return [well(Check.MX_PRIMARY, domain.name, f"{places.others[0].words} is the primary of {domain}.")]
    if len(backup.primary) > 0:
        text = f"All mail for {domain} comes here; its primary is known from the configuration alone."
        remedy = f"{domain}. IN MX 10 the primary's host"
        return [Diagnosis(Check.MX_PRIMARY, domain.name, Grade.WARNING, text, remedy)]
    text = f"This server is the only MX host of {domain}: there is nothing to hand its mail to."
    remedy = f"{domain}. IN MX 10 the mail provider's host; or name it in [[backup]]: primary"
    return [Diagnosis(Check.MX_PRIMARY, domain.name, Grade.FAULT, text, remedy)]


def _configured(it: Examination, backup: Backup) -> AskingZone[list[Diagnosis]]:
    """Primaries that the configuration names must be other machines."""
    found: list[Diagnosis] = []
    for host in backup.primary[:HOSTS_MAX]:
        answer = yield from Addresses(host.host).ask()
        if host.port == SMTP_PORT and not set(it.facts.addresses).isdisjoint(answer.addresses):
            text = f"{host}, the primary of {backup.domain} in the configuration, is this server itself."
            remedy = f'In [[backup]] of {backup.domain}: primary = ["the primary\'s own host"]'
            found.append(Diagnosis(Check.MX_LOOP, backup.domain.name, Grade.FAULT, text, remedy))
    return found


def _wildcard(it: Examination, domain: Domain) -> AskingZone[list[Diagnosis]]:
    found: list[Diagnosis] = []
    name = f"{WILDCARD_LABEL}.{domain}"
    mx = yield from Mx(Domain(name)).ask()
    if it.host in [record.host for record in mx.records]:
        text = (
            f"*.{domain} has this server as MX: it gets mail for every name below {domain}, and refuses it."
        )
        remedy = f"Remove the record: *.{domain}. IN MX … {it.host}."
        found.append(Diagnosis(Check.WILDCARD, domain.name, Grade.WARNING, text, remedy))
    texts = yield from Txt(name).ask()
    if texts.finding is Finding.FOUND:
        text = (
            f"*.{domain} has a TXT record ({texts.texts[0][:60]}): it answers for policies that do not exist."
        )
        remedy = f"Remove the record: *.{domain}. IN TXT …"
        found.append(Diagnosis(Check.WILDCARD, domain.name, Grade.NOTE, text, remedy))
    return found


def examine_bounces(it: Examination) -> AskingZone[tuple[Diagnosis, ...]]:
    bounces = it.config.bounces
    if len(it.config.newsletters) == 0:
        return ()
    answer = yield from Mx(bounces).ask()
    name = bounces.name
    remedy = it.lines(name, "MX") or zone_line(name, "MX", f"{FIRST_PREFERENCE} {it.host}.")
    hosts = [record.host for record in answer.records]
    if answer.finding is Finding.FAILED:
        return (no_answer(name, f"the MX records of {name}"),)
    if len(hosts) == 0 and bounces == it.config.hostname:
        # RFC 5321 §5.1: without MX records the host itself is the MX; its addresses are looked at.
        return (well(Check.BOUNCES_MX, name, f"{name} is its own mail host."),)
    if it.host not in hosts:
        words = f"which go to {in_words(hosts)}" if len(hosts) > 0 else "because it has no MX record"
        text = f"This server gets no reports sent to {name}, {words}."
        return (Diagnosis(Check.BOUNCES_MX, name, Grade.FAULT, text, remedy),)
    if len(hosts) > 1:
        others = in_words([host for host in hosts if host != it.host])
        text = f"Some reports sent to {name} go to {others} instead of this server."
        return (Diagnosis(Check.BOUNCES_MX, name, Grade.WARNING, text, f"Keep only: {remedy}"),)
    return (well(Check.BOUNCES_MX, name, f"Reports sent to {name} come to this server."),)
