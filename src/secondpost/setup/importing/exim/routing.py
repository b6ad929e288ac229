"""Where the routers send an address: the way of the old server, found as it finds it. Pure.

Specification, chapter 15, "Generic options for routers", and chapters 16 to 22 for each driver. A
name in DNS is taken to exist.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from secondpost.setup.importing.exim.expansion import (
    About,
    ForcedFailure,
    NotExact,
    Truth,
    Unsaid,
    is_true,
)
from secondpost.setup.importing.exim.matching import Lists, Recipient
from secondpost.setup.importing.exim.route_lists import (
    RouteHost,
    first_word,
    host_list,
    hosts_of,
    matched,
    rules_of,
)
from secondpost.setup.importing.exim.splitting import split_list
from secondpost.setup.importing.exim.statements import Driver
from secondpost.setup.importing.old_files import NotRead

ROUTED_MAX = 200  # routers that are tried for one address

_OPTIONS = frozenset({"randomize", "no_randomize", "byname", "bydns", "ipv4_only", "ipv4_prefer"})


@dataclass(frozen=True, slots=True)
class ToMxHosts:
    """To the hosts that DNS names for the domain."""

    router: Driver


@dataclass(frozen=True, slots=True)
class ToHosts:
    router: Driver
    transport: Driver | None
    hosts: tuple[RouteHost, ...]
    has_mx: bool = False  # a host stands for the MX hosts of its name


@dataclass(frozen=True, slots=True)
class Local:
    """Into a mailbox, a program or another domain on the old server itself."""

    router: Driver


@dataclass(frozen=True, slots=True)
class Forwarded:
    """To other addresses, as in an alias."""

    router: Driver
    target: str


@dataclass(frozen=True, slots=True)
class Unrouted:
    """Refused. `router` is None if no router took the address."""

    router: Driver | None


@dataclass(frozen=True, slots=True)
class NotKnown:
    """A router that cannot be worked out; `why` continues a sentence about it."""

    router: Driver
    why: str


Way = ToMxHosts | ToHosts | Local | Forwarded | Unrouted | NotKnown


@dataclass(frozen=True, slots=True)
class Routing:
    routers: tuple[Driver, ...]
    transports: Mapping[str, Driver]
    lists: Lists

    def way(self, recipient: Recipient, *, is_verified: bool) -> Way:
        """`is_verified`: as for `verify = recipient`, which passes over some routers."""
        for router in self.routers[:ROUTED_MAX]:
            asked = self._is_asked(router, recipient, is_verified=is_verified)
            if isinstance(asked, Unsaid):
                if asked.about is About.CLIENT:
                    continue
                return NotKnown(router, asked.why)
            if not asked:
                continue
            way = self._taken(router, recipient)
            if way is not None:
                if not router.has("unseen"):  # unseen: a copy, and the routers after it are asked too
                    return way
            elif "more" in router.settings and not router.has("more"):
                return Unrouted(router)
        return Unrouted(None)

    def _is_asked(self, router: Driver, recipient: Recipient, *, is_verified: bool) -> Truth:
        """Whether all its preconditions hold (§3.12, "Router preconditions")."""
        if is_verified and _is_off(router, ("verify", "verify_recipient")):
            return False
        if not is_verified and router.has("verify_only"):
            return False
        if _has_affix(router, recipient.local):
            return False
        doubt: Unsaid | None = None
        for truth in self._preconditions(router, recipient):
            if truth is False:
                return False
            if isinstance(truth, Unsaid) and (doubt is None or truth.about is About.RECIPIENT):
                doubt = truth
        return True if doubt is None else doubt

    def _preconditions(self, router: Driver, recipient: Recipient) -> Iterator[Truth]:
        for name, kind in (("domains", "domain"), ("local_parts", "local_part")):
            items = router.text(name)
            if items is not None:
                yield self.lists.holds(kind, items, recipient, {})
        if router.has("check_local_user"):
            yield self._is_user(recipient.local)
        senders = router.text("senders")
        if senders is not None:
            yield self.lists.holds("address", senders, None, {})
        condition = router.text("condition")
        if condition is not None:
            said = self.text(condition, recipient)
            yield said if isinstance(said, Unsaid) else said is not None and is_true(said)
        if "require_files" in router.settings:
            yield Unsaid(About.RECIPIENT, "depends on files of the old server (require_files)")

    def _is_user(self, local: str) -> Truth:
        text = self.lists.tables.text("/etc/passwd")
        if isinstance(text, NotRead):
            return Unsaid(About.RECIPIENT, "depends on the users of the old server")
        return any(line.partition(":")[0] == local for line in text.split("\n"))

    def text(
        self, value: str, recipient: Recipient, more: Mapping[str, str] = MappingProxyType({})
    ) -> str | Unsaid | None:
        """An expanded option; None for a forced failure. `more`: further variables."""
        try:
            return self.lists.expander(recipient, more).expand(value)
        except ForcedFailure:
            return None
        except NotExact as error:
            return error.unsaid

    def _taken(self, router: Driver, recipient: Recipient) -> Way | None:
        """None: the router declines."""
        match router.kind:
            case "dnslookup":
                return ToMxHosts(router)
            case "accept":
                return self._accepted(router, recipient)
            case "manualroute":
                return self._manual(router, recipient)
            case "redirect":
                return self._redirected(router, recipient)
            case "ipliteral":
                return None
            case kind:
                return NotKnown(router, f'has the driver "{kind}", which is not read here')

    def _accepted(self, router: Driver, recipient: Recipient) -> Way:
        transport = self.transport(router.text("transport"))
        hosts = None if transport is None else transport.text("hosts")
        if transport is None or hosts is None or not speaks_smtp(transport):
            return Local(router)
        said = self.text(hosts, recipient)
        if not isinstance(said, str):
            return NotKnown(router, "gives hosts that cannot be worked out")
        return ToHosts(router, transport, tuple(hosts_of(split_list(said))))

    def transport(self, name: str | None) -> Driver | None:
        return None if name is None else self.transports.get(name.strip())

    def _manual(self, router: Driver, recipient: Recipient) -> Way | None:
        """Chapter 20: `route_data` is hosts and options, `route_list` rules that begin with a domain."""
        data, rules = router.text("route_data"), router.text("route_list")
        if data is not None:
            said = self.text(data, recipient)
            if isinstance(said, Unsaid):
                return NotKnown(router, said.why)
            return None if said is None or len(said.strip()) == 0 else self._to_hosts(router, said, recipient)
        for rule in rules_of(rules or ""):
            pattern, rest = first_word(rule)
            fits = self.lists.holds("domain", pattern, recipient, {})
            if isinstance(fits, Unsaid):
                return NotKnown(router, fits.why)
            if fits:
                return self._to_hosts(router, rest, recipient, matched(pattern, recipient.domain))
        return None

    def _to_hosts(
        self,
        router: Driver,
        text: str,
        recipient: Recipient,
        matched: Mapping[str, str] = MappingProxyType({}),
    ) -> Way:
        hosts, options = first_word(text) if text.lstrip()[:1] in ('"', "'") else host_list(text)
        said = self.text(hosts, recipient, matched)
        if not isinstance(said, str):
            return NotKnown(router, "gives hosts that cannot be worked out")
        named = [word for word in options.split() if word not in _OPTIONS and "=" not in word]
        transport = self.transport(named[-1] if len(named) > 0 else router.text("transport"))
        found = tuple(hosts_of(split_list(said)))
        if transport is None and len(found) == 0:
            return Local(router)
        if (transport is not None and not speaks_smtp(transport)) or len(found) == 0:
            return Local(router)
        return ToHosts(router, transport, found, "/mx" in said.lower())

    def _redirected(self, router: Driver, recipient: Recipient) -> Way | None:
        """Chapter 22: an empty text declines, and so does the address itself."""
        data = router.text("data")
        if data is None:
            return None  # a .forward file
        said = self.text(data, recipient)
        if isinstance(said, Unsaid):
            return NotKnown(router, said.why)
        target = "" if said is None else said.strip()
        if target.lower() in ("", str(recipient), recipient.local, f"\\{recipient.local}", ":unknown:"):
            return None
        if target.lower().startswith((":fail:", ":defer:")):
            return Unrouted(router)
        return Forwarded(router, target)


def speaks_smtp(transport: Driver) -> bool:
    protocol = (transport.text("protocol") or "smtp").strip().lower()
    return transport.kind == "smtp" and protocol in ("smtp", "smtps")


def _is_off(router: Driver, names: tuple[str, ...]) -> bool:
    return any(name in router.settings and not router.has(name) for name in names)


def _has_affix(router: Driver, local: str) -> bool:
    """Whether the router takes only local parts with a prefix or suffix that this one lacks."""
    prefix, suffix = router.text("local_part_prefix"), router.text("local_part_suffix")
    if prefix is not None and not router.has("local_part_prefix_optional"):
        return not any(local.startswith(one.strip("*")) for one in split_list(prefix))
    if suffix is not None and not router.has("local_part_suffix_optional"):
        return not any(one.strip("*") in local for one in split_list(suffix))
    return False
