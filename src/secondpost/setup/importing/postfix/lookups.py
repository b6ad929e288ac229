"""The keys under which Postfix looks an address, a domain or a client up, in order (access(5), virtual(5),
transport(5)).

Tables that can be listed are asked for every key, tables of patterns only for the whole address.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from secondpost.setup.importing.postfix.tables import OldTable, PatternTable, TableResult


@dataclass(frozen=True, slots=True)
class OldAddress:
    """A recipient or sender; `delimiters`: recipient_delimiter."""

    local: str
    domain: str
    delimiters: str = ""

    @property
    def whole(self) -> str:
        return f"{self.local}@{self.domain}"

    @property
    def plain(self) -> str | None:
        """The local part without its extension; None if it has none."""
        at = min((self.local.find(one) for one in self.delimiters if one in self.local), default=0)
        return self.local[:at] if at > 0 else None


def parents(domain: str, *, with_dot: bool) -> Iterator[str]:
    dot = domain.find(".", 1)
    while dot >= 0:
        domain = domain[dot if with_dot else dot + 1 :]
        yield domain
        dot = domain.find(".", 1)


def first_of(tables: Sequence[OldTable], whole: str, parts: Iterator[str]) -> TableResult:
    """The answer to the first key that any of the tables has."""
    for table in tables:
        result = table.lookup(whole)
        if result is not None:
            return result
    listed = [table for table in tables if not isinstance(table, PatternTable)]
    for key in parts if len(listed) > 0 else ():
        for table in listed:
            result = table.lookup(key)
            if result is not None:
                return result
    return None


def by_address(tables: Sequence[OldTable], address: OldAddress, *, is_local: bool = False) -> TableResult:
    """As virtual_alias_maps and relay_recipient_maps are asked (mail_addr_find(3))."""

    def parts() -> Iterator[str]:
        if address.plain is not None:
            yield f"{address.plain}@{address.domain}"
        if is_local:
            yield address.local
            if address.plain is not None:
                yield address.plain
        yield f"@{address.domain}"

    return first_of(tables, address.whole, parts())


def by_access(table: OldTable, address: OldAddress, *, takes_below: bool) -> TableResult:
    """As check_recipient_access and check_sender_access ask (access(5), "EMAIL ADDRESS PATTERNS")."""

    def parts() -> Iterator[str]:
        if address.plain is not None:
            yield f"{address.plain}@{address.domain}"
        yield address.domain
        yield from parents(address.domain, with_dot=not takes_below)
        yield f"{address.local}@"
        if address.plain is not None:
            yield f"{address.plain}@"

    return first_of((table,), address.whole, parts())


def by_domain(table: OldTable, domain: str, *, takes_below: bool) -> TableResult:
    """As check_helo_access asks."""
    return first_of((table,), domain, parents(domain, with_dot=not takes_below))


def by_client(table: OldTable, name: str, address: str, *, takes_below: bool) -> TableResult:
    """As check_client_access asks: for the client's name, and then for its IPv4 address."""

    def networks() -> Iterator[str]:
        network = address
        while "." in network:
            network = network.rpartition(".")[0]
            yield network

    named = by_domain(table, name, takes_below=takes_below)
    return first_of((table,), address, networks()) if named is None else named


def by_transport(tables: Sequence[OldTable], address: OldAddress, *, takes_below: bool) -> TableResult:
    """As transport_maps is asked (transport(5), "TABLE SEARCH ORDER")."""

    def parts() -> Iterator[str]:
        if address.plain is not None:
            yield f"{address.plain}@{address.domain}"
        yield address.domain
        yield from parents(address.domain, with_dot=not takes_below)
        yield "*"

    return first_of(tables, address.whole, parts())
