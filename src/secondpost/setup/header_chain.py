"""Finds our own line in a header, and by it who wrote the other lines.

Every server puts its lines above those of the servers before it. So what stands above our Received
line was written after we had handed the message over, by the primary or by a server behind it;
whatever stands below was there before, and anyone may have written it. No name in a line counts as
proof of its author. A stranger can also forge our line together with lines above it: then the
primary's real line, above all of them, says that it took the message from elsewhere. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from ipaddress import ip_network

from secondpost.mail.address import as_ip
from secondpost.protocols.authentication_results import parse_authentication_results
from secondpost.protocols.received import ReceivedHop, parse_received
from secondpost.route.hosts import Ourselves
from secondpost.setup.pasted_headers import PastedField

# Second-level labels under which organisations register: example.co.uk is one of its own.
_SHARED = frozenset({"co", "com", "net", "org", "ac", "gov", "edu", "or", "ne", "go"})
# Addresses within a network.
_INNER = (
    *(ip_network(one) for one in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")),
    *(ip_network(one) for one in ("100.64.0.0/10", "169.254.0.0/16", "::1/128", "fc00::/7", "fe80::/10")),
)
# Domains of one operator, whose machines hand mail to each other.
_ONE_OPERATOR = (
    frozenset({"google.com", "gmail.com", "googlemail.com", "1e100.net"}),
    frozenset({"outlook.com", "office365.com", "hotmail.com", "microsoft.com", "live.com"}),
    frozenset({"icloud.com", "me.com", "mac.com", "apple.com"}),
    frozenset({"yahoo.com", "aol.com", "yahoodns.net"}),
    frozenset({"messagingengine.com", "fastmail.com"}),
    frozenset({"protonmail.ch", "proton.ch", "proton.me"}),
    frozenset({"gmx.net", "gmx.com", "web.de", "kundenserver.de", "1and1.com", "ui-portal.de"}),
    frozenset({"zohomail.com", "zoho.com", "zoho.eu", "zohomail.eu"}),
)


class HandOver(Enum):
    """What the header says of the message's way through this server."""

    PROVEN = "proven"  # the next server took it from an address of ours
    BY_NAME = "by-name"  # it took it from our name, at an address not known to be ours
    CONTRADICTED = "contradicted"  # it took it from another server: our line is forged or older
    UNSEEN = "unseen"  # no server wrote a Received line above ours
    NOT_THROUGH_US = "not-through-us"  # there is no line of ours


@dataclass(frozen=True, slots=True)
class HeaderChain:
    """A header, cut by authors. Each part is in its order from the top."""

    hand_over: HandOver
    ours: ReceivedHop | None  # our line
    taker: ReceivedHop | None  # the line of the server that took the message after our line
    later: tuple[PastedField, ...]  # by servers behind the primary, for example after forwarding
    primary: tuple[PastedField, ...]
    earlier: tuple[PastedField, ...]  # below our line, our own line excepted


def read_chain(fields: Sequence[PastedField], us: Ourselves, mx_hosts: Sequence[str] = ()) -> HeaderChain:
    """`mx_hosts`: of the primary, if they are known."""
    hops = {at: parse_received(field.value) for at, field in enumerate(fields) if field.name == "received"}
    at = next((at for at, hop in hops.items() if us.is_name(hop.by)), None)
    if at is None:
        return HeaderChain(HandOver.NOT_THROUGH_US, None, None, (), (), tuple(fields))
    above = [(place, hop) for place, hop in reversed(hops.items()) if place < at]
    taker = next((hop for _, hop in above if hop.has_from), None)
    begins = _end_of_later(fields, above)
    later = [hop for place, hop in above if place < begins]
    within = [hop for place, hop in above if place >= begins and hop.has_from]
    is_forged = _came_again(within, us) or _came_elsewhere(taker, later, mx_hosts)
    return HeaderChain(
        HandOver.CONTRADICTED if is_forged else _hand_over(taker, us),
        hops[at],
        taker,
        tuple(fields[:begins]),
        tuple(fields[begins:at]),
        tuple(fields[at + 1 :]),
    )


def _hand_over(taker: ReceivedHop | None, us: Ourselves) -> HandOver:
    if taker is None:
        return HandOver.UNSEEN
    if taker.address in us.addresses:
        return HandOver.PROVEN
    # The connection may have ended at a machine in front of the primary.
    if us.is_name(taker.client):
        return HandOver.BY_NAME
    return HandOver.CONTRADICTED


def _came_again(hops: Sequence[ReceivedHop], us: Ourselves) -> bool:
    """Whether the operator that took the message from us took it from a stranger once more. `hops`:
    its own, from ours up. Its machines call each other by their own names or inner addresses.
    """
    for hop in hops[1:]:
        address = as_ip(hop.address)
        is_inner = address is None or any(address in network for network in _INNER)
        if (
            not is_inner
            and hop.address not in us.addresses
            and operator_of(hop.client) != operator_of(hop.by)
        ):
            return True
    return False


def _came_elsewhere(taker: ReceivedHop | None, later: Sequence[ReceivedHop], mx_hosts: Sequence[str]) -> bool:
    """Whether the primary took the message after another server had it from us."""
    primaries = {operator_of(host) for host in mx_hosts}
    if taker is None or operator_of(taker.by) in primaries:
        return False
    return any(operator_of(hop.by) in primaries for hop in later)


def _end_of_later(fields: Sequence[PastedField], above: Sequence[tuple[int, ReceivedHop]]) -> int:
    """How many fields at the top belong to servers behind the primary. `above`: hops from ours up."""
    operator = ""
    for place, hop in above:
        theirs = operator_of(hop.by)
        if len(theirs) == 0 or not hop.has_from:
            continue
        if len(operator) == 0:
            operator = theirs
        elif theirs != operator:
            return _below_the_line(fields, place, theirs)
    return 0


def _below_the_line(fields: Sequence[PastedField], place: int, operator: str) -> int:
    """Where the lines of the server that wrote the Received at `place` end: some servers put their
    results below it. Microsoft's have no name, and stand above it.
    """
    at = place + 1
    while at < len(fields) and fields[at].name == "authentication-results":
        if operator_of(parse_authentication_results(fields[at].value).server) != operator:
            break
        at += 1
    return at


def operator_of(host: str) -> str:
    """Who runs a host: its registered domain, the same for domains of one operator; "" for an
    address or a name without one.
    """
    labels = host.rstrip(".").split(".")
    if (
        as_ip(host) is not None
        or len(labels) < 2
        or labels[-1] in ("internal", "local", "lan", "localdomain")
    ):
        return ""
    shared = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SHARED
    domain = ".".join(labels[-3:] if shared else labels[-2:])
    return next((min(domains) for domains in _ONE_OPERATOR if domain in domains), domain)
