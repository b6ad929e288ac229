"""The SPF records of every domain that stands in an envelope or in From. Pure."""

from dataclasses import dataclass

from secondpost.mail.authentication import AuthResult
from secondpost.mail.dns_questions import AskingZone
from secondpost.mail.envelope import Lane
from secondpost.mail.questions import Finding, Txt
from secondpost.protocols.spf import LOOKUPS_MAX, is_spf, parse_spf
from secondpost.protocols.spf_macros import SpfFault
from secondpost.setup.diagnosis import Check, Diagnosis, Grade
from secondpost.setup.examination import Examination, cut, in_words, no_answer, txt_line, well
from secondpost.setup.spf_walk import SpfSeen, walk_spf
from secondpost.setup.wanted import bounces_spf, host_spf, sender_domains, smart_host

ADDRESSES_MAX = 8  # of our own that are looked for
ANY_ADDRESS = "192.0.2.1"  # of no machine: for counting look-ups alone


@dataclass(frozen=True, slots=True)
class _Use:
    """A domain that stands for mail of ours, or only for mail of its own."""

    domain: str
    lane: Lane | None  # of our mail with this domain in its envelope or HELO; None if there is none
    wanted: str  # the record if it has none

    def grade(self, worst: Grade) -> Grade:
        """A fault in the record of a domain that does not stand in our envelopes harms its other mail."""
        if self.lane is Lane.ISSUES or worst is Grade.NOTE:
            return worst
        return Grade.WARNING


def examine_spf(it: Examination) -> AskingZone[tuple[Diagnosis, ...]]:
    found: list[Diagnosis] = []
    for use in _uses(it):
        found += yield from _of(it, use)
    return tuple(found)


def _uses(it: Examination) -> tuple[_Use, ...]:
    config = it.config
    uses = [_Use(it.host, Lane.OWN, host_spf(config))]
    if len(config.newsletters) > 0:
        if config.bounces == config.hostname:
            uses = [_Use(it.host, Lane.ISSUES, host_spf(config))]
        else:
            uses.append(_Use(config.bounces.name, Lane.ISSUES, bounces_spf(config)))
    known = {use.domain for use in uses}
    others = (*sender_domains(config), *(backup.domain for backup in config.backups))
    names = dict.fromkeys(domain.name for domain in others)
    return (*uses, *(_Use(name, None, "v=spf1 mx ~all") for name in names if name not in known))


def _of(it: Examination, use: _Use) -> AskingZone[list[Diagnosis]]:
    answer = yield from Txt(use.domain).ask()
    if answer.finding is Finding.FAILED:
        return [no_answer(use.domain, f"the SPF record of {use.domain}")]
    texts = [text for text in answer.texts if is_spf(text)]
    if len(texts) == 0:
        return [_missing(use)]
    if len(texts) > 1:
        text = f"{use.domain} has {len(texts)} SPF records, which count as none: {in_words(texts)}."
        remedy = "Keep one record with the terms of all, before its all"
        return [Diagnosis(Check.SPF_RECORD, use.domain, use.grade(Grade.FAULT), text, remedy)]
    try:
        record = parse_spf(texts[0])
    except SpfFault as fault:
        text = f"The SPF record of {use.domain} has a mistake: {fault}."
        remedy = f"Mend it, or put in its place: {txt_line(use.domain, use.wanted)}"
        return [Diagnosis(Check.SPF_SYNTAX, use.domain, use.grade(Grade.FAULT), text, remedy)]
    found = [well(Check.SPF_RECORD, use.domain, f'{use.domain} has the SPF record "{cut(texts[0])}".')]
    found += _strictness(use, texts[0], record.all, len(record.redirect) > 0)
    seen = yield from _seen(it, use)
    found += _lookups(use, tuple(seen.values()))
    if use.lane is None:
        return found
    host = smart_host(it.config, use.lane)
    if host is None:
        return found + _sender(it, use, seen)
    return [*found, _smart_host(use, host.host, texts[0], record.names_others)]


def _missing(use: _Use) -> Diagnosis:
    grade = Grade.NOTE if use.lane is None else use.grade(Grade.FAULT)
    text = f"{use.domain} has no SPF record."
    return Diagnosis(Check.SPF_RECORD, use.domain, grade, text, txt_line(use.domain, use.wanted))


def _strictness(use: _Use, text: str, rest: AuthResult | None, redirects: bool) -> list[Diagnosis]:
    remedy = f"End the record with -all or ~all: {txt_line(use.domain, _with_end(text))}"
    match rest:
        case AuthResult.PASS:
            said = f"The SPF record of {use.domain} ends with +all: every machine may send in its name."
            return [Diagnosis(Check.SPF_STRICTNESS, use.domain, Grade.FAULT, said, remedy)]
        case AuthResult.NEUTRAL | None if not redirects:
            said = f"The SPF record of {use.domain} says nothing about other addresses (?all, or no all)."
            return [Diagnosis(Check.SPF_STRICTNESS, use.domain, Grade.WARNING, said, remedy)]
        case _:
            return []


def _with_end(text: str) -> str:
    kept = [term for term in text.split() if term.lower().lstrip("+-~?") != "all"]
    return " ".join([*kept, "~all"])


def _seen(it: Examination, use: _Use) -> AskingZone[dict[str, SpfSeen]]:
    """By each of our addresses; by ANY_ADDRESS if there are none, or none of them matters."""
    own = it.facts.addresses[:ADDRESSES_MAX] if use.lane is not None else ()
    seen: dict[str, SpfSeen] = {}
    for address in own if len(own) > 0 else (ANY_ADDRESS,):
        seen[address] = yield from walk_spf(use.domain, address)
    return seen


def _lookups(use: _Use, seen: tuple[SpfSeen, ...]) -> list[Diagnosis]:
    most = max(one.lookups for one in seen)
    if most > LOOKUPS_MAX:
        text = f"The SPF record of {use.domain} needs {most} look-ups, and receivers stop at {LOOKUPS_MAX}."
        remedy = "Remove includes that are no longer used, or write their addresses as ip4: and ip6:"
        return [Diagnosis(Check.SPF_LOOKUPS, use.domain, use.grade(Grade.FAULT), text, remedy)]
    broken = [one.reason for one in seen if one.result is AuthResult.PERMERROR]
    if len(broken) > 0:
        text = f"The SPF record of {use.domain} cannot be evaluated: {broken[0]}."
        remedy = "Mend or remove the term that leads there"
        return [Diagnosis(Check.SPF_SYNTAX, use.domain, use.grade(Grade.FAULT), text, remedy)]
    return []


def _sender(it: Examination, use: _Use, seen: dict[str, SpfSeen]) -> list[Diagnosis]:
    if len(it.facts.addresses) == 0:
        text = f"Whether {use.domain} allows this machine by SPF cannot be seen: its address is not known."
        remedy = 'addresses = ["this machine\'s public address"]'
        return [Diagnosis(Check.SPF_SENDER, use.domain, Grade.NOTE, text, remedy)]
    if any(one.result is AuthResult.TEMPERROR for one in seen.values()):
        return [no_answer(use.domain, f"what the SPF record of {use.domain} includes")]
    refused = [address for address, one in seen.items() if one.result is not AuthResult.PASS]
    if any(one.result is AuthResult.PERMERROR or one.lookups > LOOKUPS_MAX for one in seen.values()):
        return []  # said already
    if len(refused) > 0:
        text = f"The SPF record of {use.domain} does not allow this server's own {in_words(refused)}."
        remedy = f"Put in its place, with the terms that others need: {txt_line(use.domain, use.wanted)}"
        return [Diagnosis(Check.SPF_SENDER, use.domain, use.grade(Grade.FAULT), text, remedy)]
    text = f"The SPF record of {use.domain} allows {in_words(list(seen))}."
    return [well(Check.SPF_SENDER, use.domain, text)]


def _smart_host(use: _Use, host: str, text: str, names_others: bool) -> Diagnosis:
    """The smart host's own addresses count, and only its owner knows them."""
    if not names_others:
        said = f"Mail leaves through {host}, but the SPF record of {use.domain} allows nothing but itself."
        remedy = (
            f"Add the include that {host} names in its instructions, before the all: "
            f"{txt_line(use.domain, text)}"
        )
        return Diagnosis(Check.SPF_SENDER, use.domain, Grade.WARNING, said, remedy)
    said = f"Mail leaves through {host}: its addresses count for SPF, and cannot be seen from here."
    remedy = f"Compare the record of {use.domain} with the instructions of {host}"
    return Diagnosis(Check.SPF_SENDER, use.domain, Grade.NOTE, said, remedy)
