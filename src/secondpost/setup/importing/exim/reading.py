"""read_exim: the configuration of an Exim as answers for a new file, recipient lists and a report. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from posixpath import join

from secondpost.config.addresses import full_domain
from secondpost.config.faults import Wrong
from secondpost.setup.answers import NOT_ANSWERED, Answers, OtherTable
from secondpost.setup.importing.carried import (
    Fate,
    ImportedServer,
    OldConfigFaults,
    OldFault,
    OldPlace,
    OldServer,
    ReportLine,
)
from secondpost.setup.importing.exim.acl import REJECTING, Acls
from secondpost.setup.importing.exim.acl_report import RECIPIENT_STAGES, acl_lines
from secondpost.setup.importing.exim.backups import Backups, backups_of
from secondpost.setup.importing.exim.debian import DebconfAnswer, Missing, answers_file, joined
from secondpost.setup.importing.exim.debian_own import with_packaged
from secondpost.setup.importing.exim.domains import DOMAINS_MAX, NOWHERE_DOMAIN, NOWHERE_LOCAL, domains_taken
from secondpost.setup.importing.exim.fates import answer_lines, list_lines, open_at, table_lines
from secondpost.setup.importing.exim.lines import Physical, ReadLine, Unread, logical_lines, physical_lines
from secondpost.setup.importing.exim.matching import Lists, Recipient
from secondpost.setup.importing.exim.remarks import OF_MESSAGE, driver_text, macro_lines, other_lines, shown
from secondpost.setup.importing.exim.routing import Routing, ToHosts, ToMxHosts, Way
from secondpost.setup.importing.exim.settings import Settings, read_settings
from secondpost.setup.importing.exim.smart_host import PASSWORD_FILE, SmartHost, smart_host_of
from secondpost.setup.importing.exim.statements import Configuration, Driver, configuration
from secondpost.setup.importing.exim.tables import Tables
from secondpost.setup.importing.old_files import NotRead, OldFiles
from secondpost.setup.importing.owners import WHY_CARRIED, FoundOwner, aliases_of, owner_in

# Debian's Exim reads the first alone if it is there; the others are where upstream and other systems have it.
WHOLE_FILES = ("exim4.conf", "exim.conf", "configure")

# In the data of a redirect router, as in ${lookup{$local_part}lsearch{/etc/aliases}}.
_ALIAS_FILE = re.compile(r"lsearch[*@]*[ \t]*\{[ \t]*(/[^\s{}$]+)[ \t]*\}")


@dataclass(frozen=True, slots=True)
class _Source:
    """The lines of a configuration, and Debian's answers that are part of it."""

    lines: Sequence[Physical]
    answers: Mapping[str, DebconfAnswer]


def read_exim(files: OldFiles, path: str) -> ImportedServer:
    """`path`: a whole file, a folder such as /etc/exim4, or Debian's update-exim4.conf.conf.

    Raises OldConfigFaults.
    """
    source = _source(files, path)
    read = logical_lines(files, source.lines)
    missing = [one for one in read if isinstance(one, Unread) and one.leaves_out]
    if len(missing) > 0:
        raise OldConfigFaults(tuple(OldFault(one.place, one.why.removesuffix(".")) for one in missing))
    old = configuration(read)
    if len(old.acls) == 0 and len(old.routers) == 0:
        reason = (
            "it has neither ACLs nor routers, so this is no whole configuration of Exim; name the main file"
        )
        raise OldConfigFaults((OldFault(OldPlace(path, 0), reason),))
    tables = Tables(files)
    lists = _lists(old, files, tables)
    settings = read_settings(old, lists)
    routing = Routing(old.routers, old.transports, lists)
    stages = (REJECTING, *RECIPIENT_STAGES)
    used = {option: value for option in stages if (value := (old.text(option) or "").strip())}
    taken = domains_taken(Acls(lists, old.acls, used, routing), old, tables)
    general = routing.way(Recipient(NOWHERE_LOCAL, NOWHERE_DOMAIN), is_verified=False)
    smart_host = smart_host_of(general, old, lists) if isinstance(general, ToHosts) else None
    backups = backups_of(taken, settings, smart_host, lists.hostname)
    alias_files = dict.fromkeys(path for router in old.routers for path in _alias_files(router))
    owner = _owner(tables, alias_files, backups, lists.hostname)
    report = [
        *answer_lines(source.answers.values(), backups.fates, tables),
        *(_placed(line, backups) for line in settings.report),
        *list_lines(old, backups.fates, tables),
        *macro_lines(old, frozenset(answer.place for answer in source.answers.values())),
        *acl_lines(old, backups.admitted, backups.doubts, backups.asks, open_at(taken)),
        *_router_lines(old.routers, backups, smart_host, general),
        *(() if owner is None else (_owner_line(owner),)),
        *table_lines(tables, backups.fates, backups.listed),
        *other_lines(old, _transports_used(backups, general)),
        *(() if smart_host is None else smart_host.report[1:]),
        *backups.report,
    ]
    if taken.is_cut:
        why = f"Only the first {DOMAINS_MAX} domains were looked at."
        report.append(ReportLine(OldPlace(path, 0), "", Fate.NOT_CARRIED, why))
    report = _in_order(report, source, read)
    if len(source.answers) > 0:
        telling = {open_at(taken), *backups.doubts, *(one.place for one in old.other)}
        paths = {answer.place.path for answer in source.answers.values()}
        lines = [line for line in source.lines if line.place.path not in paths]
        report = with_packaged(report, lines, telling)
    return ImportedServer(
        server=OldServer.EXIM,
        answers=replace(
            _answers(settings, lists, backups, smart_host),
            owner=NOT_ANSWERED.owner if owner is None else owner.addresses,
        ),
        lists=backups.lists,
        report=tuple(report),
        secrets=_secrets(smart_host),
    )


def _source(files: OldFiles, path: str) -> _Source:
    answers = answers_file(files, path)
    folder = path.rstrip("/")
    whole = [join(folder, name) for name in WHOLE_FILES]
    if answers is not None:
        whole = [join(answers.rpartition("/")[0], WHOLE_FILES[0])]
    for name in whole:
        text = files.text(name)
        if not isinstance(text, NotRead):
            return _Source(tuple(physical_lines(name, text)), {})
    if answers is not None:
        found = joined(files, answers)
        if isinstance(found, Missing):
            raise OldConfigFaults((OldFault(OldPlace(found.path, 0), found.why),))
        return _Source(found.lines, found.answers)
    text = files.text(path)
    if isinstance(text, NotRead):
        raise OldConfigFaults((OldFault(OldPlace(path, 0), f"it {text.reason}"),))
    return _Source(tuple(physical_lines(path, text)), {})


def _lists(old: Configuration, files: OldFiles, tables: Tables) -> Lists:
    """With the names of the old server: its option, or what /etc calls the machine."""
    written = old.text("primary_hostname")
    hostname = _first_word(files, "/etc/hostname") if written is None else written.strip()
    if "$" in hostname or len(hostname) == 0:
        hostname = _first_word(files, "/etc/mailname")
    qualify = (old.text("qualify_domain") or hostname).strip()
    return Lists(old.lists, tables, hostname.lower(), qualify)


def _first_word(files: OldFiles, path: str) -> str:
    text = files.text(path)
    return "" if isinstance(text, NotRead) else (text.split() or [""])[0]


def _answers(settings: Settings, lists: Lists, backups: Backups, smart_host: SmartHost | None) -> Answers:
    others = list(backups.routes)
    if len(settings.receive) > 0:
        others.append(OtherTable("[receive]", tuple(settings.receive)))
    hostname = settings.hostname or _full_name(lists.hostname)
    if hostname in backups.fates.places:
        hostname = None  # the name of a backup domain cannot be this server's own
    has_pair = settings.certificate is not None and settings.key is not None
    return replace(
        NOT_ANSWERED,
        hostname=hostname or NOT_ANSWERED.hostname,
        backups=backups.answers,
        smart_host=None
        if smart_host is None
        else replace(smart_host.answer, relays=backups.all_by_smart_host),
        certificate=settings.certificate if has_pair else None,
        key=settings.key if has_pair else None,
        listen=settings.listen,
        others=tuple(others),
    )


def _alias_files(router: Driver) -> Sequence[str]:
    """The files in which a router looks up where mail for a local part goes."""
    return _ALIAS_FILE.findall(router.text("data") or "") if router.kind == "redirect" else ()


def _owner(tables: Tables, paths: Iterable[str], backups: Backups, hostname: str) -> FoundOwner | None:
    """As the files of aliases have it."""
    for path in paths:
        text = tables.text(path)
        if isinstance(text, NotRead):
            continue
        found = owner_in(aliases_of(text, path), frozenset(backups.fates.places), hostname)
        if found is not None:
            return found
    return None


def _owner_line(owner: FoundOwner) -> ReportLine:
    alias = owner.alias
    return ReportLine(alias.place, shown(alias.text), Fate.CARRIED, WHY_CARRIED, (("owner",),))


def _full_name(name: str) -> str | None:
    try:
        return full_domain(name).name
    except Wrong:
        return None


def _placed(line: ReportLine, backups: Backups) -> ReportLine:
    """A line about every backup domain names each of them."""
    becomes = tuple(
        key
        for path in line.becomes
        for key in (
            [("backup", place, *path[2:]) for place in range(len(backups.answers))]
            if path[0] == "backup"
            else [path]
        )
    )
    if len(becomes) == 0 and len(line.becomes) > 0:
        return replace(
            line, fate=Fate.NOT_CARRIED, why="There is no backup domain for which it could hold.", becomes=()
        )
    return replace(line, becomes=becomes)


def _router_lines(
    routers: Iterable[Driver], backups: Backups, smart_host: SmartHost | None, general: Way
) -> Iterator[ReportLine]:
    for router in routers:
        text, becomes = driver_text(router), backups.by_router.get(router.name, ())
        if smart_host is not None and router is smart_host.way.router:
            line = smart_host.report[0]
            yield replace(line, becomes=(*line.becomes, *becomes))
            continue
        if len(becomes) > 0:
            why = backups.remarks.get(router.name) or _left_out(router)
            fate = Fate.CARRIED if why == "" else Fate.CHANGED
            yield ReportLine(router.place, text, fate, why, tuple(becomes))
        elif isinstance(general, ToMxHosts) and router is general.router:
            why = "Mail to readers, and mail of the server itself, goes to the MX hosts of its domains."
            yield ReportLine(router.place, text, Fate.CARRIED, why)
        elif router.kind == "redirect":
            why = "No address is forwarded here: that is for the primary."
            yield ReportLine(router.place, text, Fate.NOT_CARRIED, why)
        else:
            yield ReportLine(router.place, text, Fate.NOT_CARRIED, "No mail of a backup domain takes it.")


def _left_out(router: Driver) -> str:
    left = [name for name in OF_MESSAGE if name in router.settings]
    return f"Not taken over of it: {', '.join(left)}." if len(left) > 0 else ""


def _transports_used(backups: Backups, general: Way) -> frozenset[str]:
    """The names of the transports by which mail goes on here too."""
    ways = [general, *backups.ways]
    used = {way.transport.name for way in ways if isinstance(way, ToHosts) and way.transport is not None}
    return frozenset(
        used | {(way.router.text("transport") or "").strip() for way in ways if isinstance(way, ToMxHosts)}
    )


def _secrets(smart_host: SmartHost | None) -> dict[str, str]:
    if smart_host is None or smart_host.password is None:
        return {}
    return {PASSWORD_FILE: f"{smart_host.password}\n"}


def _in_order(report: list[ReportLine], source: _Source, read: Iterable[ReadLine]) -> list[ReportLine]:
    """By the order in which Exim reads its files, then by line; tables come last."""
    paths = dict.fromkeys(answer.place.path for answer in source.answers.values())
    paths |= dict.fromkeys(one.place.path for one in read)
    order = {path: number for number, path in enumerate(paths)}
    return sorted(
        report, key=lambda line: (order.get(line.place.path, len(order)), line.place.path, line.place.line)
    )
