"""The interview about the domains whose second MX this server will be."""

from collections.abc import Sequence
from dataclasses import replace

from secondpost.config.addresses import ascii_domain
from secondpost.config.reading import parse_config
from secondpost.mail.address import Domain
from secondpost.mail.envelope import Lane
from secondpost.mail.questions import (
    AddressAnswer,
    Addresses,
    Finding,
    Mx,
    MxAnswer,
)
from secondpost.route.destination import route_for
from secondpost.setup.answers import Answers, BackupAnswer
from secondpost.setup.config_file import config_text
from secondpost.setup.questions import (
    Interview,
    LookedUp,
    Names,
    Note,
    OwnerQuestion,
    Scene,
    Separator,
    Texts,
    checked,
)

EACH_DOMAIN = "{domain}"  # in a source of recipients: each domain's own
FILE = "file:"
HOSTS_SHOWN_MAX = 3
NULL_MX = "."


def ask_backups(scene: Scene, names: Names, answers: Answers) -> Interview[Answers]:
    domains = yield from OwnerQuestion(
        "--backup",
        "Domains to back up",
        checked(scene, lambda texts: _with_domains(scene, answers, texts)),
        "example.net",
        () if scene.earlier is None else tuple(one.domain for one in scene.earlier.backups),
        "This server takes their mail while their own server cannot. Leave it empty for a newsletter alone.",
        Separator.WORDS,
    ).ask()
    answers = _with_domains(scene, answers, domains)
    if len(domains) == 0:
        return answers
    alone = yield from _look_at_domains(names, answers, _routed(scene, domains))
    answers = yield from _ask_primary(scene, answers, alone)
    return (yield from _ask_recipients(scene, answers))


def _with_domains(scene: Scene, answers: Answers, domains: Texts) -> Answers:
    """With each domain as it was in the earlier file, if it was there."""
    earlier = {} if scene.earlier is None else {one.domain: one for one in scene.earlier.backups}
    return replace(answers, backups=tuple(earlier.get(one, BackupAnswer(one)) for one in domains))


def _routed(scene: Scene, domains: Texts) -> frozenset[str]:
    """The domains whose mail takes a [[route]] of the earlier file, so that they need no primary."""
    if scene.earlier is None:
        return frozenset()
    config = parse_config(config_text(scene.earlier).encode(), scene.path, are_files_checked=False)
    asked = {one: Domain.parse(ascii_domain(one)) for one in domains}
    return frozenset(
        one for one, domain in asked.items() if route_for(config, Lane.RELAY, domain) is not None
    )


def _look_at_domains(names: Names, answers: Answers, routed: frozenset[str]) -> Interview[Sequence[str]]:
    """Say where the mail of each domain goes today; return those for which neither the DNS nor a route
    names a primary.
    """
    domains = [Domain.parse(ascii_domain(one.domain)) for one in answers.backups]
    exchangers = yield from names.look_up([Mx(domain) for domain in domains])
    if exchangers is None:
        return ()
    without = [
        domain
        for domain, answer in zip(domains, exchangers, strict=True)
        if answer.finding in (Finding.NO_DATA, Finding.NO_NAME)
    ]
    hosts = yield from names.look_up([Addresses(domain.name) for domain in without])
    of_itself = dict(zip(without, hosts if hosts is not None else (), strict=False))
    alone = []
    for backup, domain, answer in zip(answers.backups, domains, exchangers, strict=True):
        note, has_primary = _seen(answers, domain, answer, of_itself.get(domain))
        yield from note.ask()
        if not has_primary and len(backup.primary) == 0 and backup.domain not in routed:
            alone.append(backup.domain)
    return alone


def _seen(
    answers: Answers, domain: Domain, exchangers: LookedUp, of_itself: LookedUp | None
) -> tuple[Note, bool]:
    """What the DNS says of a domain, and whether it leads to a primary, or may."""
    ours = ascii_domain(answers.hostname).lower()
    match exchangers:
        case MxAnswer(Finding.FAILED):
            return Note(f"{domain}: its MX records could not be looked up.", is_warning=True), True
        case MxAnswer(Finding.FOUND, records) if all(one.host == NULL_MX for one in records):
            text = f"{domain} says in the DNS that it takes no mail at all (a null MX): remove that record."
            return Note(text, is_warning=True), False
        case MxAnswer(Finding.FOUND, records):
            own = [one for one in records if one.host == ours]
            better = [one for one in records if len(own) == 0 or one.preference < own[0].preference]
            if len(better) == 0:
                text = f"{domain}: this server is its best MX, and none behind it is the primary."
                return Note(text, is_warning=True), False
            shown = [f"{one.host} ({one.preference})" for one in better[:HOSTS_SHOWN_MAX]]
            more = len(better) - len(shown)
            text = f"{domain}: mail goes to {', '.join(shown)}{f' and {more} more' if more > 0 else ''}."
            return Note(f"{text} This server is behind it already." if len(own) > 0 else text), True
        case _ if isinstance(of_itself, AddressAnswer) and of_itself.finding is Finding.FOUND:
            text = (
                f"{domain} has no MX record, so its mail goes to {domain} itself. "
                f"With this server's MX it needs one of its own: {domain}. MX 10 {domain}."
            )
            return Note(text, is_warning=True), False
        case _:
            return Note(f"{domain} has no MX record: no mail reaches it now.", is_warning=True), False


def _ask_primary(scene: Scene, answers: Answers, alone: Sequence[str]) -> Interview[Answers]:
    needed = f"the DNS does not say where mail for {', '.join(alone)} goes" if len(alone) > 0 else ""
    hosts = yield from OwnerQuestion(
        "--primary",
        f"Mail server of {', '.join(alone)}" if len(alone) > 0 else "Mail server of the domains",
        checked(scene, lambda texts: _with_primary(answers, texts, alone), needed),
        "mx1.provider.example",
        None if len(alone) > 0 else (),
        "Where mail that was held is handed over: HOST, or HOST:PORT.",
        Separator.WORDS,
        is_asked=len(alone) > 0,
    ).ask()
    return _with_primary(answers, hosts, alone)


def _with_primary(answers: Answers, hosts: Texts, alone: Sequence[str]) -> Answers:
    """With these hosts for the domains that need them, or for all if none does."""
    if len(hosts) == 0:
        return answers
    backups = [
        replace(one, primary=hosts) if len(alone) == 0 or one.domain in alone else one
        for one in answers.backups
    ]
    return replace(answers, backups=tuple(backups))


def _ask_recipients(scene: Scene, answers: Answers) -> Interview[Answers]:
    sources = {one.recipients for one in answers.backups}
    texts = yield from OwnerQuestion(
        "--recipients",
        "Their recipients",
        checked(scene, lambda texts: _with_recipients(scene, answers, texts)),
        "learn",
        sources.pop() if len(sources) == 1 else (),
        "learn: found out from the primary. Or file:PATH with an address per line, or addresses, or any.",
        Separator.BLANKS,
        is_asked=len(sources) == 0,  # in an earlier file each domain has its own: they stay
    ).ask()
    return _with_recipients(scene, answers, texts)


def _with_recipients(scene: Scene, answers: Answers, texts: Texts) -> Answers:
    if len(texts) == 0:
        return answers
    backups = [
        replace(one, recipients=tuple(_source(scene, text, one) for text in texts)) for one in answers.backups
    ]
    return replace(answers, backups=tuple(backups))


def _source(scene: Scene, text: str, backup: BackupAnswer) -> str:
    text = text.replace(EACH_DOMAIN, backup.domain)
    if not text.startswith(FILE) or text in backup.recipients:
        return text
    return f"{FILE}{scene.place(text[len(FILE) :], ())}"
