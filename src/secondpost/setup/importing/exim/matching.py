"""Whether a domain, a local part, an address or an ordinary client is in a list of Exim's. Pure.

Specification, chapter 10, "Domain, host, address, and local part lists". Items are tried in order
and the first that fits decides; after a last item with `!`, everything else is in the list.

The ordinary client is a stranger: no list of addresses or names has it, only `*` and networks of
length 0 do; its sender is in no list either.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from secondpost.setup.importing.exim.expansion import (
    About,
    Expander,
    ForcedFailure,
    NotExact,
    Truth,
    Unsaid,
)
from secondpost.setup.importing.exim.splitting import split_list
from secondpost.setup.importing.exim.statements import NamedList
from secondpost.setup.importing.exim.tables import LIST, Tables, UnreadTable, matches, parse_search

NESTED_MAX = 10
NETWORK_BITS_LEAST = 8  # a wider one has many strangers in it

_SEARCHED = re.compile(r"([\w()*@.,=-]+)[ \t]*;[ \t]*(.*)", re.DOTALL)
_NETWORK = re.compile(r"[0-9a-fA-F.:\[\]]+(?:/(\d{1,3}))?")
_UNREAD = "unread"  # stands before the path of a file that cannot be read
_LISTS = {"domain": "domainlist", "local_part": "localpartlist", "address": "addresslist", "host": "hostlist"}

STRANGER_DOMAIN = "zqvk.example"
# What a condition may ask of strangers, of whom two have little in common.
STRANGERS: Sequence[Mapping[str, str]] = tuple(
    {
        "sender_host_address": address,
        "sender_host_name": f"{name}.{domain}",
        "sender_helo_name": f"{name}.{domain}",
        "sender_address": f"{local}@{domain}",
        "sender_address_local_part": local,
        "sender_address_domain": domain,
    }
    for address, name, local, domain in (
        ("5.45.77.9", "mail", "zqk-7", STRANGER_DOMAIN),
        ("91.5.77.9", "out3", "2718", "wx.example"),
        ("212.5.77.9", "mx-b", "u.v", "b.stuy.example"),
        ("2a0b:77::9", "relay", "postmaster", "jf.example"),
    )
)


@dataclass(frozen=True, slots=True)
class Recipient:
    """An address of which it is asked what the old server does with it."""

    local: str
    domain: str

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"


@dataclass(frozen=True, slots=True)
class Lists:
    """The named lists, the tables, and what the server is called."""

    named: Mapping[tuple[str, str], NamedList]
    tables: Tables
    hostname: str
    qualify: str

    def expander(self, recipient: Recipient | None, more: Mapping[str, str]) -> Expander:
        variables = {
            "authenticated_id": "", "sender_host_authenticated": "", "authenticated_sender": "",
            "qualify_domain": self.qualify, "qualify_recipient": self.qualify,
            "local_part_prefix": "", "local_part_suffix": "",
        }  # fmt: skip
        if len(self.hostname) > 0:
            variables["primary_hostname"] = self.hostname
        if recipient is not None:
            variables |= {
                "domain": recipient.domain, "original_domain": recipient.domain,
                "local_part": recipient.local, "original_local_part": recipient.local,
                "local_part_data": recipient.local, "domain_data": recipient.domain,
            }  # fmt: skip

        def match_list(kind: str, items: str, subject: str) -> Truth:
            return self.match(kind, items, subject, None, {}, 1)

        return Expander(self.tables, {**variables, **more}, match_list)

    def holds(self, kind: str, items: str, recipient: Recipient | None, more: Mapping[str, str]) -> Truth:
        """`kind`: domain, local_part, address or host; for the last two of `recipient` None, a stranger."""
        subject = ""
        if recipient is not None:
            subject = {"domain": recipient.domain, "local_part": recipient.local}.get(kind, str(recipient))
        return self.match(kind, items, subject, recipient, more, 0)

    def match(
        self,
        kind: str,
        items: str,
        subject: str,
        recipient: Recipient | None,
        more: Mapping[str, str],
        depth: int,
    ) -> Truth:
        if depth > NESTED_MAX:
            return Unsaid(About.RECIPIENT, "names lists that name each other")
        try:
            expanded = self.expander(recipient, more).expand(items)
        except ForcedFailure:
            return False
        except NotExact as error:
            return error.unsaid

        def fits(item: str) -> Truth:
            if item.startswith("+"):
                return self._in_named(kind, item[1:], subject, recipient, more, depth)
            if kind == "host":
                return _has_stranger(item)
            if kind == "address" and recipient is None:
                return _has_sender(item)
            return self._fits(kind, item, subject.lower())

        return first_that_fits(self._items(expanded), fits)

    def _items(self, text: str) -> Iterator[str]:
        """The items, with those of files in place of a file's name."""
        for item in split_list(text):
            sign = "!" if item.startswith("!") else ""
            path = item.removeprefix("!").strip()
            if not path.startswith("/"):
                yield item
                continue
            listed = self.tables.table(LIST, path)
            if isinstance(listed, UnreadTable):
                yield f"{sign}{_UNREAD};{path}"
            else:
                yield from (f"{sign}{one}" for one in listed.entries)

    def _in_named(
        self,
        kind: str,
        name: str,
        subject: str,
        recipient: Recipient | None,
        more: Mapping[str, str],
        depth: int,
    ) -> Truth:
        if name in ("include_unknown", "ignore_unknown", "caseful", "include_defer", "ignore_defer"):
            return False
        named = self.named.get((_LISTS[kind], name))
        if named is None and kind == "address":
            named = self.named.get(("domainlist", name))  # an item that is a domain
            kind, subject = "domain", subject.rpartition("@")[2]
        if named is None:
            return Unsaid(About.RECIPIENT, f"names the list +{name}, which is not there")
        return self.match(kind, named.value, subject, recipient, more, depth + 1)

    def _fits(self, kind: str, item: str, subject: str) -> Truth:
        if kind == "address" and not item.startswith("^"):
            return self._has_address(item, subject)
        if item.startswith("@") and kind == "domain":
            if item == "@":
                return subject == self.hostname.lower()
            return False if item == "@[]" else Unsaid(About.RECIPIENT, f"has {item}, which asks DNS")
        searched = _SEARCHED.fullmatch(item)
        if searched is not None:
            return self._searched(searched[1], searched[2], subject)
        return fits_pattern(item, subject)

    def _searched(self, kind: str, path: str, subject: str) -> Truth:
        if kind == _UNREAD:
            return Unsaid(About.RECIPIENT, f"needs {path}, which cannot be read")
        search = parse_search(kind)
        if search is None:
            return Unsaid(About.RECIPIENT, f"has {kind};{path}, which is not read here")
        found = self.tables.find(search, path.strip(), subject)
        if isinstance(found, UnreadTable):
            return Unsaid(About.RECIPIENT, f"needs {path.strip()}, which {found.why}")
        return found is not None

    def _has_address(self, item: str, subject: str) -> Truth:
        """§10.19, "Address lists": an item with an @ has a part for each side of it."""
        local, _, domain = subject.rpartition("@")
        searched = _SEARCHED.fullmatch(item)
        if item.startswith("@@"):
            return Unsaid(About.RECIPIENT, f"has {item}, which is not read here")
        if searched is not None and "@" not in searched[1].removesuffix("*@"):
            return self._searched(searched[1], searched[2], subject)
        if "@" not in item:
            return fits_pattern(item, domain) if len(item) > 0 else False
        left, _, right = item.rpartition("@")
        if right.startswith("+"):
            there = self._in_named("domain", right[1:], domain, None, {}, 1)
        else:
            there = self._fits("domain", right, domain)
        if there is not True:
            return there
        return left in ("", "*") or fits_pattern(left, local)


def first_that_fits(items: Iterator[str], fits: Callable[[str], Truth]) -> Truth:
    """The first item that fits decides; one of which nothing is known leaves doubt, or does not matter."""
    doubt: Unsaid | None = None
    if_doubt, is_negated = False, False
    for written in items:
        is_negated = written.startswith("!")
        said = fits(written.removeprefix("!").strip())
        if isinstance(said, Unsaid):
            if is_negated:
                said = of_exception(said)
            if doubt is not None and if_doubt is is_negated:
                return doubt
            doubt, if_doubt = said, not is_negated
        elif said:
            outcome = not is_negated
            return outcome if doubt is None or if_doubt is outcome else doubt
    return is_negated if doubt is None or if_doubt is is_negated else doubt


def of_exception(doubt: Unsaid) -> Unsaid:
    """Doubt about clients or senders that are exempt: a stranger is no exception, so none gets through."""
    return Unsaid(About.RECIPIENT, doubt.why)


def _has_all(pattern: str) -> bool:
    """Whether a regular expression fits clients and senders that have nothing in common."""
    return all(matches(pattern, one) is True for stranger in STRANGERS for one in stranger.values())


def fits_pattern(item: str, subject: str) -> Truth:
    if item.startswith("^"):
        found = matches(item, subject)
        return Unsaid(About.RECIPIENT, f"has {item}, which is not read here") if found is None else found
    if item.startswith("*"):
        return subject.endswith(item[1:].lower())
    return item.lower() == subject


def _has_stranger(item: str) -> Truth:
    if item == "*":
        return True
    network = _NETWORK.fullmatch(item)
    if network is not None and len(item) > 0:
        bits = 32 if network[1] is None else int(network[1])
        if bits == 0:
            return True
        return Unsaid(About.CLIENT, f"has the wide network {item}") if bits < NETWORK_BITS_LEAST else False
    if item in ("", "@", "@[]"):
        return False
    if item.startswith("^") and _has_all(item):
        return True
    if item.startswith("^") or ";" in item:
        return Unsaid(About.CLIENT, "depends on the client's name or a table of clients")
    return False  # a host name, or a pattern of names


def _has_sender(item: str) -> Truth:
    if item in ("*", "*@*"):
        return True
    if item.startswith("^") and _has_all(item):
        return True
    if item.startswith(("^", "@@")) or ";" in item:
        return Unsaid(About.CLIENT, "depends on the sender")
    return False
