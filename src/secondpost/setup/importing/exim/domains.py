"""The domains that the old server takes mail for from strangers and passes on: the backup domains. Pure.

Each name that stands in a list of domains, or is a key of a table that was looked into, is asked about
as if a stranger had sent mail there; so is an address that is nowhere, and each that is in a table.
What the old server would do decides, not where a name stands.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from secondpost.config.addresses import full_domain
from secondpost.config.faults import Wrong
from secondpost.setup.importing.exim.acl import Acls, RecipientAccepted, RecipientRefused, RecipientVerdict
from secondpost.setup.importing.exim.matching import Recipient
from secondpost.setup.importing.exim.routing import ToHosts, ToMxHosts, Way
from secondpost.setup.importing.exim.splitting import split_list
from secondpost.setup.importing.exim.statements import Configuration
from secondpost.setup.importing.exim.tables import LookupTable, Tables

DOMAINS_MAX = 2_000
LOCAL_PARTS_MAX = 200_000  # of one domain
LOOKED_AT_MAX = 20  # listed local parts whose way is asked for
ROUNDS_MAX = 3  # a table may name what another table then is asked about
VALUES_MAX = 30  # a table with more is a list of recipients, whose values do not matter

NOWHERE_LOCAL = "qz7kx4unlisted"  # in no list
NOWHERE_DOMAIN = "qz7kx4unlisted.invalid"
NOWHERE_DOMAINS = (NOWHERE_DOMAIN, "qz7kx4unlisted.com")  # a list may have a pattern for the one

_DOMAIN = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+")
_ODD = re.compile(r"(?<=.)[.]|[A-Za-z0-9_-]")  # what remains may matter to a pattern, as in ^[.] or ^.*#
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+")


@dataclass(frozen=True, slots=True)
class FoundDomain:
    """A name, what becomes of mail to an address of it that is nowhere, and what of the listed ones.

    `taken`: the listed local parts that are accepted while others are refused, or are asked about.
    `refused`: those that are refused while others are accepted.
    """

    domain: str
    verdict: RecipientVerdict
    way: Way
    taken: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    first: RecipientVerdict | None = None  # the verdict on the first of `taken`

    @property
    def accepts(self) -> bool:
        return isinstance(self.verdict, RecipientAccepted) or len(self.taken) > 0

    @property
    def goes_on(self) -> bool:
        """Whether mail is passed on to another server as it came."""
        return isinstance(self.way, ToMxHosts | ToHosts)

    @property
    def accepted(self) -> RecipientAccepted | None:
        for verdict in (self.verdict, self.first):
            if isinstance(verdict, RecipientAccepted):
                return verdict
        return None


@dataclass(frozen=True, slots=True)
class DomainsTaken:
    """`anywhere`: the verdict on a domain that stands nowhere; if it accepts, the server is an open relay."""

    anywhere: RecipientVerdict
    found: tuple[FoundDomain, ...]  # in the order in which the names stand
    is_cut: bool  # there were more than DOMAINS_MAX names


def domains_taken(acls: Acls, old: Configuration, tables: Tables) -> DomainsTaken:
    verdicts = [acls.verdict(Recipient(NOWHERE_LOCAL, domain)) for domain in NOWHERE_DOMAINS]
    anywhere = next((one for one in verdicts if isinstance(one, RecipientAccepted)), verdicts[0])
    acls.routing.way(Recipient(NOWHERE_LOCAL, NOWHERE_DOMAIN), is_verified=False)
    found = dict[str, FoundDomain]()
    is_cut = False
    for _ in range(ROUNDS_MAX):
        names = [name for name in _names(old, tables) if name not in found]
        is_cut = is_cut or len(found) + len(names) > DOMAINS_MAX
        names = names[: DOMAINS_MAX - len(found)]
        if len(names) == 0:
            break
        for name in names:
            found[name] = _found(acls, name, old, tables)
    return DomainsTaken(anywhere, tuple(found.values()), is_cut)


def _names(old: Configuration, tables: Tables) -> Iterator[str]:
    """The domains that stand in lists, conditions and tables, each once."""
    seen = set[str]()
    for word in _words(old, tables):
        name = word.lower()
        if name not in seen and _is_domain(name):
            seen.add(name)
            yield name


def _words(old: Configuration, tables: Tables) -> Iterator[str]:
    for (kind, _), named in old.lists.items():
        if kind in ("domainlist", "addresslist"):
            yield from _listed(named.value)
    for statements in old.acls.values():
        for statement in statements:
            for condition in statement.conditions:
                if condition.name in ("domains", "recipients"):
                    yield from _listed(condition.value)
                elif condition.name == "condition":
                    yield from _DOMAIN.findall(condition.value)
    for router in old.routers:
        yield from _listed(router.text("domains") or "")
        for rule in (router.text("route_list") or "").split(";"):
            yield from rule.split()[:1]
        for option in ("condition", "route_data", "data"):
            yield from _DOMAIN.findall(router.text(option) or "")
    for table in tables_of(tables):
        for entry in table.entries.values():
            yield entry.key.rpartition("@")[2]


def _listed(text: str) -> Iterator[str]:
    """The items of a list, the lines of files among them not; the words of an expansion."""
    if "$" in text:
        yield from _DOMAIN.findall(text)
        return
    for item in split_list(text):
        yield item.removeprefix("!").strip().rpartition("@")[2]


def _is_domain(name: str) -> bool:
    if _DOMAIN.fullmatch(name) is None or name.replace(".", "").isdigit():
        return False
    try:
        full_domain(name)
    except Wrong:
        return False
    return True


def tables_of(tables: Tables) -> list[LookupTable]:
    return [table for table in tables.read.values() if isinstance(table, LookupTable)]


def _found(acls: Acls, domain: str, old: Configuration, tables: Tables) -> FoundDomain:
    nowhere = Recipient(NOWHERE_LOCAL, domain)
    verdict = acls.verdict(nowhere)
    taken, refused, first = list[str](), list[str](), None
    for local_parts, said in _listed_verdicts(acls, domain, old, tables):
        if isinstance(verdict, RecipientAccepted) and isinstance(said, RecipientRefused):
            refused += local_parts
        elif isinstance(said, RecipientAccepted) and (
            isinstance(verdict, RecipientRefused) or (verdict.asked and not said.asked)
        ):
            if first is None or local_parts != ["postmaster"]:
                first = said
            taken += local_parts
    way = acls.routing.way(nowhere, is_verified=False)
    for local in taken[:LOOKED_AT_MAX]:
        if isinstance(way, ToMxHosts | ToHosts):
            break
        way = acls.routing.way(Recipient(local, domain), is_verified=False)
    return FoundDomain(domain, verdict, way, tuple(taken), tuple(refused), first)


def _listed_verdicts(
    acls: Acls, domain: str, old: Configuration, tables: Tables
) -> Iterator[tuple[list[str], RecipientVerdict]]:
    """The verdict on each local part that stands anywhere. Those that every table treats alike share it."""
    read, named = tables_of(tables), _named(old)
    many = [len({one.value for one in table.entries.values()}) > VALUES_MAX for table in read]
    alike = dict[tuple[str, ...], list[str]]()
    for local in _local_parts(domain, named, read):
        marks = [
            _mark(table, key, has_many=has_many)
            for table, has_many in zip(read, many, strict=True)
            for key in (local, f"{local}@{domain}")
        ]
        alike.setdefault((*marks, _ODD.sub("", local), local if local in named else ""), []).append(local)
    for local_parts in alike.values():
        yield local_parts, acls.verdict(Recipient(local_parts[0], domain))


def _mark(table: LookupTable, key: str, *, has_many: bool) -> str:
    entry = table.entries.get(key)
    if entry is None:
        return "-"
    return f"+{entry.value[:6] if entry.value.startswith(':') else ''}" if has_many else f"+{entry.value}"


def _local_parts(domain: str, named: Iterable[str], read: Iterable[LookupTable]) -> list[str]:
    found = dict[str, None]()
    for table in read:
        for key in table.entries:
            local, at, of = key.rpartition("@")
            if len(at) == 0:
                local = of
            elif of != domain:
                continue
            if _LOCAL.fullmatch(local) is not None and not local.startswith("*"):
                found[local] = None
            if len(found) > LOCAL_PARTS_MAX:
                return list(found)
    found |= dict.fromkeys(named)
    return list(found)


def _named(old: Configuration) -> dict[str, None]:
    """The local parts that stand in lists themselves."""
    texts = [
        named.value for (kind, _), named in old.lists.items() if kind in ("localpartlist", "addresslist")
    ]
    for statements in old.acls.values():
        for statement in statements:
            texts += [one.value for one in statement.conditions if one.name in ("recipients", "local_parts")]
    texts += [router.text("local_parts") or "" for router in old.routers]
    found = dict[str, None]()
    for text in texts:
        for item in split_list(text):
            local = item.removeprefix("!").strip().partition("@")[0].lower()
            if _LOCAL.fullmatch(local) is not None and not local.startswith(("*", "+", "^", "/")):
                found[local] = None
    return found
