"""The backup domains of the new file, made of what the old server does with its domains. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from secondpost.config.addresses import endpoint
from secondpost.config.faults import Wrong
from secondpost.config.positions import KeyPath
from secondpost.config.recipients import recipient
from secondpost.config.records import Unknown
from secondpost.mail.address import Domain
from secondpost.mail.envelope import Lane
from secondpost.setup.answers import BackupAnswer, Entry, OtherTable, toml_text
from secondpost.setup.importing.carried import Fate, OldPlace, ReportLine
from secondpost.setup.importing.exim.acl import RecipientAccepted, RecipientRefused
from secondpost.setup.importing.exim.domains import DomainsTaken, FoundDomain
from secondpost.setup.importing.exim.fates import Fates, why_not
from secondpost.setup.importing.exim.remarks import shown
from secondpost.setup.importing.exim.routing import ToHosts, ToMxHosts
from secondpost.setup.importing.exim.settings import Settings
from secondpost.setup.importing.exim.smart_host import SmartHost, usual_port

SMTP_PORT = 25
LISTS = "recipients"  # a folder beside the new file
EXAMPLES_MAX = 5  # of addresses in a line of the report

_NO_TAGS = Entry("delimiters", '""')  # Exim takes me+tag@ for another address than me@


@dataclass(slots=True)
class Backups:
    """`admitted`: by the place of a statement, the domains that came in by it. `ways`: their ways."""

    answers: tuple[BackupAnswer, ...]
    lists: Mapping[str, str]
    fates: Fates
    routes: tuple[OtherTable, ...] = ()
    all_by_smart_host: bool = False
    asks: bool = False
    admitted: dict[OldPlace, list[KeyPath]] = field(default_factory=dict)
    doubts: dict[OldPlace, str] = field(default_factory=dict)
    by_router: dict[str, list[KeyPath]] = field(default_factory=dict)
    remarks: dict[str, str] = field(default_factory=dict)
    listed: dict[str, frozenset[str]] = field(default_factory=dict)  # local parts
    ways: list[ToMxHosts | ToHosts] = field(default_factory=list)
    report: list[ReportLine] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Carried:
    found: FoundDomain
    accepted: RecipientAccepted
    way: ToMxHosts | ToHosts
    primary: tuple[str, ...]
    names: tuple[str, ...]  # its recipients, if they are listed
    by_smart_host: bool


def backups_of(
    taken: DomainsTaken, settings: Settings, smart_host: SmartHost | None, hostname: str
) -> Backups:
    """`hostname`: what the old machine calls itself; empty if that is not known."""
    carried, reasons = list[_Carried](), dict[str, str]()
    for found in taken.found:
        said = why_not(found, taken, hostname) or _carried(found, settings, smart_host)
        if isinstance(said, str):
            reasons[found.domain] = said
        else:
            carried.append(said)
    by_smart_host = [one for one in carried if one.by_smart_host]
    are_all = len(by_smart_host) > 0 and len(by_smart_host) == len(carried)
    lists = {f"{LISTS}/{one.found.domain}": _list_text(one) for one in carried if len(one.names) > 0}
    given = Backups(
        answers=tuple(_answer(one, settings) for one in carried),
        lists=lists,
        fates=Fates({one.found.domain: place for place, one in enumerate(carried)}, reasons),
        routes=()
        if are_all
        else tuple(_route(one, smart_host) for one in by_smart_host if smart_host is not None),
        all_by_smart_host=are_all,
        asks=any(one.accepted.asked for one in carried),
        listed={one.found.domain: frozenset(one.names) for one in carried},
        ways=[one.way for one in carried],
    )
    for place, one in enumerate(carried):
        _note(given, place, one)
    for found in taken.found:
        verdict, statement = found.verdict, found.verdict.statement
        if isinstance(verdict, RecipientAccepted) or verdict.doubt is None or statement is None:
            continue
        if found.goes_on:
            given.doubts[statement.place] = verdict.doubt
    return given


def _carried(found: FoundDomain, settings: Settings, smart_host: SmartHost | None) -> _Carried | str:
    """Why not, as a sentence, or what is carried."""
    if found.domain == settings.hostname:
        return "it is the server's own name, which has no primary."
    accepted, way = found.accepted, found.way
    if accepted is None or not isinstance(way, ToMxHosts | ToHosts):
        return "the old server finds no way for its mail."
    by_smart_host = smart_host is not None and way == smart_host.way
    primary: tuple[str, ...] = ()
    if isinstance(way, ToHosts) and not by_smart_host:
        primary = tuple(_primary(way))
        if len(primary) == 0:
            return "the hosts of its primary cannot be worked out; add [[backup]] yourself if you want it."
    names: tuple[str, ...] = ()
    if len(found.taken) > 0:
        names = tuple(sorted(local for local in found.taken if _is_recipient(local, found.domain)))
        if len(names) == 0 and isinstance(found.verdict, RecipientRefused):
            return "none of its addresses can stand in a list here."
    return _Carried(found, accepted, way, primary, names, by_smart_host)


def _primary(way: ToHosts) -> list[str]:
    primary = list[str]()
    for host in way.hosts:
        try:
            one = str(endpoint(SMTP_PORT)(host.text(usual_port(way.transport)))).removesuffix(":25")
        except Wrong:
            continue
        primary += [] if one in primary else [one]
    return primary


def _is_recipient(local: str, domain: str) -> bool:
    try:
        recipient(f"{local}@{domain}", Domain(domain))
    except Wrong:
        return False
    return "#" not in local


def _list_text(one: _Carried) -> str:
    return "".join(f"{name}@{one.found.domain}\n" for name in one.names)


def _answer(one: _Carried, settings: Settings) -> BackupAnswer:
    domain, verdict = one.found.domain, one.found.verdict
    sources, more = list[str](), list(settings.backup)
    if isinstance(verdict, RecipientAccepted) and not verdict.asked:
        return BackupAnswer(domain, ("any",), one.primary, tuple(more))
    if isinstance(verdict, RecipientAccepted):
        sources.append("learn")
        if not verdict.despite_silence:
            more.append(Entry("unknown", toml_text(Unknown.DEFER.value)))
    if len(one.names) > 0:
        sources.append(f"file:{LISTS}/{domain}")
    return BackupAnswer(domain, tuple(sources), one.primary, (*more, _NO_TAGS))


def _route(one: _Carried, smart_host: SmartHost) -> OtherTable:
    answer = smart_host.answer
    entries = [
        Entry("domain", toml_text(one.found.domain)),
        Entry("lane", toml_text(Lane.RELAY.value)),
        Entry("host", toml_text(answer.host)),
    ]
    if answer.username is not None and answer.password_file is not None:
        entries.append(Entry("username", toml_text(answer.username)))
        entries.append(Entry("password_file", toml_text(answer.password_file)))
    return OtherTable("[[route]]", (*entries, *answer.more))


def _note(given: Backups, place: int, one: _Carried) -> None:
    """What the report says of its statement, its router and its recipients."""
    found, statement = one.found, one.accepted.statement
    if statement is not None:
        given.admitted.setdefault(statement.place, []).append(("backup", place, "domain"))
    router = one.way.router
    if not one.by_smart_host:
        key: KeyPath = ("backup", place, "primary") if len(one.primary) > 0 else ("backup", place, "domain")
        given.by_router.setdefault(router.name, []).append(key)
    if isinstance(one.way, ToHosts) and one.way.has_mx:
        given.remarks[router.name] = (
            "A host that stood for the MX hosts of its name is taken as that host alone."
        )
    elif isinstance(one.way, ToHosts) and len(one.primary) < len(one.way.hosts):
        given.remarks[router.name] = "Not every one of its hosts can be named in the new file."
    if statement is None:
        return
    at, text = statement.place, shown(statement.written)
    if len(found.refused) > 0:
        why = (
            f"The old server refuses {_some(found.refused, found.domain)}; here every address is accepted, "
            "and the primary decides."
        )
        keys: tuple[KeyPath, ...] = (("backup", place, "recipients"),)
        given.report.append(ReportLine(at, text, Fate.CHANGED, why, keys))
    if len(one.names) > 0 and "postmaster" not in one.names:
        why = f"Mail for the postmaster of {found.domain} is accepted as well (RFC 5321, section 4.5.1)."
        keys = (("backup", place, "recipients"),)
        given.report.append(ReportLine(at, text, Fate.CHANGED, why, keys))


def _some(local_parts: Sequence[str], domain: str) -> str:
    named = ", ".join(f"{local}@{domain}" for local in local_parts[:EXAMPLES_MAX])
    more = len(local_parts) - EXAMPLES_MAX
    return f"{named} and {more} more" if more > 0 else named
