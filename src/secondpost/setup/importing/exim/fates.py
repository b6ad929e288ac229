"""Why a name was carried over as a backup domain or not, and which lines of the report say so. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from secondpost.config.positions import KeyPath
from secondpost.setup.importing.carried import Fate, OldPlace, ReportLine
from secondpost.setup.importing.exim.acl import RecipientAccepted, RecipientRefused
from secondpost.setup.importing.exim.debian import DebconfAnswer, separated
from secondpost.setup.importing.exim.domains import DomainsTaken, FoundDomain, tables_of
from secondpost.setup.importing.exim.remarks import shown
from secondpost.setup.importing.exim.routing import Forwarded, Local, NotKnown, ToHosts, ToMxHosts
from secondpost.setup.importing.exim.splitting import split_list
from secondpost.setup.importing.exim.statements import Configuration
from secondpost.setup.importing.exim.tables import TableRow, Tables
from secondpost.setup.importing.own_names import NEEDS_NO_BACKUP, is_own_name

REASONS_MAX = 6  # in one line of the report

_NAME = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+")

_SEARCHED = re.compile(r"(?:partial[^-]*-)?(\w+)[^;]*;")
_QUERIED = re.compile(r"\$\{lookup[ \t]+(\w+)[ \t]*\{")  # a database
READABLE = ("lsearch", "wildlsearch", "nwildlsearch", "dsearch")

# Of Debian's answers: what is said of those that give no backup domain (update-exim4.conf.conf(5)).
ANSWERS: Mapping[str, tuple[Fate, str]] = {
    "dc_eximconfig_configtype": (
        Fate.CHANGED,
        "The kind of configuration decides which lines below are used.",
    ),
    "dc_local_interfaces": (Fate.CARRIED, "See local_interfaces below."),
    "dc_readhost": (Fate.NOT_CARRIED, "No address is rewritten: mail is passed on as it came."),
    "dc_hide_mailname": (Fate.NOT_CARRIED, "No address is rewritten: mail is passed on as it came."),
    "dc_minimaldns": (Fate.NOT_CARRIED, "This server asks DNS when it passes mail on."),
    "dc_relay_nets": (
        Fate.NOT_CARRIED,
        "This server relays for no client: let these send through your provider.",
    ),
    "dc_smarthost": (Fate.CHANGED, "See the router that uses it."),
    "dc_use_split_config": (
        Fate.CARRIED,
        "It says which files were read: the template, or the pieces in conf.d.",
    ),
    "dc_localdelivery": (Fate.NOT_CARRIED, "Nothing is delivered into mailboxes here."),
    "dc_mailname_in_oh": (Fate.NOT_CARRIED, "It is about Debian's questions, and not about what Exim does."),
    "CFILEMODE": (Fate.NOT_CARRIED, "The new file has permissions of its own."),
}


@dataclass(frozen=True, slots=True)
class Fates:
    """`places`: of the backup domains in the new file; `reasons`: why another name is not one."""

    places: Mapping[str, int]
    reasons: Mapping[str, str]

    def line(
        self, place: OldPlace, text: str, names: Iterable[str], besides: Iterable[str] = ()
    ) -> ReportLine:
        """Of a line that has these names; `besides`: sentences about what else stands there."""
        known = list(dict.fromkeys(name.lower() for name in names))
        carried = [name for name in known if name in self.places]
        amiss = [
            *dict.fromkeys(besides),
            *(f"{name}: {self.reasons[name]}" for name in known if name in self.reasons),
        ]
        more = len(amiss) - REASONS_MAX
        why = " ".join([*amiss[:REASONS_MAX], *([f"And {more} more."] if more > 0 else [])])
        becomes: tuple[KeyPath, ...] = tuple(("backup", self.places[name], "domain") for name in carried)
        if len(carried) == 0:
            return ReportLine(place, text, Fate.NOT_CARRIED, why or "It names no domain that is passed on.")
        return ReportLine(place, text, Fate.CARRIED if len(amiss) == 0 else Fate.CHANGED, why, becomes)


def why_not(found: FoundDomain, taken: DomainsTaken, hostname: str) -> str | None:
    """Why the domain is not carried over, as a sentence; None if it is. `hostname`: of the old server."""
    if not found.accepts:
        doubt = found.verdict.doubt if isinstance(found.verdict, RecipientRefused) else None
        statement = found.verdict.statement
        if doubt is not None:
            where = "" if statement is None else f"{statement.place.path}:{statement.place.line} "
            return f"not carried, because {where}{doubt}; add [[backup]] yourself if you want it."
        return "the old server refuses its mail from strangers, and so does this one."
    if is_relayed_openly(found, taken):
        return "the old server takes mail for every domain (it is an open relay); this one must not."
    if set(found.taken) == {"postmaster"} and not isinstance(found.verdict, RecipientAccepted):
        return "the old server takes mail for its postmaster alone."
    match found.way:
        case ToMxHosts() | ToHosts():
            return None
        case Local() | Forwarded() if is_own_name(found.domain, hostname):
            return f"it {NEEDS_NO_BACKUP}."
        case Local() | Forwarded():
            return "its mail ends at the old server itself, or is forwarded; here it needs a primary."
        case NotKnown(router, why):
            return f"the router {router.name} {why}; add [[backup]] yourself if you want it."
        case _:
            return "the old server accepts its mail and then finds no way for it."


def is_relayed_openly(found: FoundDomain, taken: DomainsTaken) -> bool:
    """Whether it is accepted only because everything is."""
    if not isinstance(taken.anywhere, RecipientAccepted) or len(found.taken) > 0:
        return False
    return (
        isinstance(found.verdict, RecipientAccepted) and found.verdict.statement == taken.anywhere.statement
    )


def open_at(taken: DomainsTaken) -> OldPlace | None:
    """The statement by which a stranger may write to every domain, if there is one."""
    verdict = taken.anywhere
    if isinstance(verdict, RecipientAccepted) and verdict.statement is not None:
        return verdict.statement.place
    return None


def list_lines(old: Configuration, fates: Fates, tables: Tables) -> Iterator[ReportLine]:
    """Of the named lists."""
    for (kind, _), named in old.lists.items():
        text = shown(named.written)
        if kind == "hostlist":
            why = "This server relays for no client, and refuses none by a list."
            yield ReportLine(named.place, text, Fate.NOT_CARRIED, why)
        elif kind == "domainlist":
            names = _names(named.value, fates, tables)
            yield fates.line(named.place, text, names, patterns(named.value))
        else:
            why = "Which addresses are taken is in recipients of each [[backup]]."
            yield ReportLine(named.place, text, Fate.CHANGED, why)


def _names(value: str, fates: Fates, tables: Tables) -> Iterator[str]:
    """The names in a list, and the backup domains in the files that it names.

    Why another domain of such a file is none is said at its line there.
    """
    yield from _NAME.findall(value)
    paths = {item.removeprefix("!").rpartition(";")[2].strip() for item in split_list(value)}
    for table in tables_of(tables):
        if table.path in paths:
            yield from (name for name in table.entries if name.lower() in fates.places)


def patterns(value: str) -> Iterator[str]:
    """Sentences about items that are no names of domains."""
    queried = _QUERIED.search(value)
    if queried is not None:
        yield f"It asks {queried[1]}, which is not read here; write a [[backup]] for each of its domains."
    for item in split_list(value):
        bare = item.removeprefix("!").strip()
        if item.startswith("!") or len(bare) == 0 or "$" in bare:
            continue
        if bare.startswith(("*", "^")):
            yield f"{shown(bare)}: a pattern; write a [[backup]] for each domain that it means."
        elif bare.startswith("@mx"):
            yield f"{bare}: it asks DNS; write a [[backup]] for each domain that has this server as MX."
        elif (kind := _SEARCHED.match(bare)) is not None and kind[1] not in READABLE:
            yield f"{shown(bare)}: such a table is not read here; write a [[backup]] for each of its domains."
        elif bare in ("@", "@[]", "localhost"):
            yield f"{bare}: mail for the machine itself is not carried."


def answer_lines(answers: Iterable[DebconfAnswer], fates: Fates, tables: Tables) -> Iterator[ReportLine]:
    for answer in answers:
        text = shown(answer.written)
        if len(answer.value.strip()) == 0:
            yield ReportLine(answer.place, text, Fate.CARRIED, "It is empty.")
        elif answer.name in ("dc_relay_domains", "dc_other_hostnames"):
            value = separated(answer.value)
            yield fates.line(answer.place, text, _names(value, fates, tables), patterns(value))
        else:
            usual = (Fate.CARRIED, "It becomes a macro; see the lines that use it.")
            fate, why = ANSWERS.get(answer.name, usual)
            yield ReportLine(answer.place, text, fate, why)


def table_lines(tables: Tables, fates: Fates, listed: Mapping[str, frozenset[str]]) -> Iterator[ReportLine]:
    """Of the files that were looked into; values are not shown, for they may be passwords.

    `listed`: the local parts of each backup domain that has a list.
    """
    known = fates.places.keys() | fates.reasons.keys()
    for path, rows in {table.path: table.entries for table in tables_of(tables)}.items():
        names = [row for row in rows.values() if row.key.lower() in known]
        for row in names:
            yield fates.line(OldPlace(path, row.line), shown(row.key), [row.key])
        wild = [row for row in rows.values() if row.key.startswith(("*", "^"))]
        for row in wild[:REASONS_MAX]:
            why = "A pattern; write a [[backup]] for each domain that it means."
            yield ReportLine(OldPlace(path, row.line), shown(row.key), Fate.NOT_CARRIED, why)
        rest = len(rows) - len(names) - len(wild)
        if rest > 0:
            held = [domain for domain, local_parts in listed.items() if _has_any(rows, domain, local_parts)]
            yield _addresses(path, rest, [("backup", fates.places[one], "recipients") for one in held])


def _has_any(rows: Mapping[str, TableRow], domain: str, local_parts: frozenset[str]) -> bool:
    """Postmaster, whose mail is taken in any case, makes no table a list of recipients."""
    return any(local in rows or f"{local}@{domain}" in rows for local in local_parts - {"postmaster"})


def _addresses(path: str, count: int, becomes: Sequence[KeyPath]) -> ReportLine:
    text = f"{count} {'entry' if count == 1 else 'entries'}"
    if len(becomes) > 0:
        why = (
            "The addresses of backup domains among them are in the lists beside the new file, without what "
            "stands beside them: where their mail goes in the end is for the primary to say."
        )
        return ReportLine(OldPlace(path, 0), text, Fate.CHANGED, why, tuple(becomes))
    why = "No mail is accepted, refused or forwarded here because of them."
    return ReportLine(OldPlace(path, 0), text, Fate.NOT_CARRIED, why)
