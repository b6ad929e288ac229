"""Where Postfix sent mail for a domain: transport_maps, relay_transport, relayhost (transport(5))."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from secondpost.mail.address import AddressError, Endpoint
from secondpost.setup.importing.postfix.lookups import OldAddress, by_transport
from secondpost.setup.importing.postfix.services import SMTP_PORT, port_number
from secondpost.setup.importing.postfix.settings import PostfixSettings
from secondpost.setup.importing.postfix.tables import OldTable, TableValue, Unknowable
from secondpost.setup.importing.postfix.words import words

# The programs behind the transports that every master.cf has.
USUAL_TRANSPORTS: Mapping[str, str] = {
    "smtp": "smtp",
    "relay": "smtp",
    "lmtp": "lmtp",
    "local": "local",
    "virtual": "virtual",
    "error": "error",
    "retry": "error",
    "discard": "discard",
}
PROBE = "zq7-0k"  # a local part that no table has


@dataclass(frozen=True, slots=True)
class NamedHosts:
    """`hosts`: as in our file, in order. `written`: the next hop as Postfix has it, under which its
    password is kept. `asks_mx`: the MX records of a name were asked, not its address.
    """

    hosts: tuple[str, ...]
    written: str
    asks_mx: bool
    by: str  # the parameter that decides
    entry: TableValue | None = None  # the line of transport_maps that decides


@dataclass(frozen=True, slots=True)
class OwnMx:
    """The MX hosts of the domain itself."""

    by: str
    entry: TableValue | None = None


@dataclass(frozen=True, slots=True)
class NotPassedOn:
    """Mail is delivered here, thrown away or refused. `why`: a sentence."""

    why: str
    by: str
    entry: TableValue | None = None


OldWay = NamedHosts | OwnMx | NotPassedOn


@dataclass(frozen=True, slots=True)
class OldWays:
    """`programs`: the command of each unix service of master.cf, by its name."""

    settings: PostfixSettings
    tables: Sequence[OldTable]
    programs: Mapping[str, str]
    takes_below: bool

    def way(self, domain: str) -> OldWay | Unknowable:
        found = by_transport(self.tables, OldAddress(PROBE, domain), takes_below=self.takes_below)
        if isinstance(found, Unknowable):
            return found
        channel, _, hop = self.settings.text("relay_transport").partition(":")
        by: str = "relay_transport"
        entry: TableValue | None = None
        if len(hop) == 0:
            hop = self.settings.text("relayhost")
            by = "relayhost" if len(hop) > 0 else "relay_transport"
        if isinstance(found, TableValue):
            channel, hop, changes = _transport(found.value, channel, hop)
            if changes:
                by, entry = "transport_maps", found
        return self._way(channel, hop, domain, by, entry)

    def _way(self, channel: str, hop: str, domain: str, by: str, entry: TableValue | None) -> OldWay:
        program = self.programs.get(channel, USUAL_TRANSPORTS.get(channel, "pipe"))
        if program != "smtp":
            return NotPassedOn(_not_smtp(program, channel), by, entry)
        if len(hop) == 0 or hop.lower() == domain:
            if not self.looks_up_no_mx:
                return OwnMx(by, entry)
            hop = f"[{domain}]"
        hosts = tuple(_hosts(hop))
        if len(hosts) == 0:
            return NotPassedOn(f"{hop} is not a host that is understood here.", by, entry)
        asks_mx = not self.looks_up_no_mx and any(_asks_mx(one) for one in words(hop))
        return NamedHosts(hosts, hop, asks_mx, by, entry)

    @property
    def looks_up_no_mx(self) -> bool:
        is_off = self.settings.text("smtp_dns_support_level") == "disabled"
        return is_off or self.settings.is_on("disable_dns_lookups")

    def hosts_of(self, hop: str) -> tuple[str, ...]:
        """The hosts of a next hop; none if one of them is not understood."""
        return tuple(_hosts(hop))

    def relay_host(self) -> NamedHosts | None:
        """relayhost, for mail of our own."""
        hop = self.settings.text("relayhost")
        hosts = tuple(_hosts(hop))
        if len(hosts) == 0:
            return None
        return NamedHosts(hosts, hop, not self.looks_up_no_mx and _asks_mx(words(hop)[0]), "relayhost")


def _transport(value: str, channel: str, hop: str) -> tuple[str, str, bool]:
    """Transport, next hop, and whether the entry changes any (transport(5), "RESULT FORMAT")."""
    new, _, host = value.strip().partition(":")
    if len(new) == 0:
        return (channel, host, True) if len(host) > 0 else (channel, hop, False)
    return new, host, True


def _not_smtp(program: str, channel: str) -> str:
    match program:
        case "error":
            return "Postfix refused this mail."
        case "discard":
            return "Postfix took this mail and threw it away."
        case "lmtp":
            return "It was handed over by LMTP, which is not spoken here."
        case _:
            return f"It was delivered by the transport {channel}; nothing is delivered on this machine here."


def _asks_mx(hop: str) -> bool:
    """An address and what is in brackets have no MX records (smtp(8), relayhost)."""
    try:
        return not hop.startswith("[") and not Endpoint.parse(hop, SMTP_PORT).is_address
    except AddressError:
        return True


def _hosts(hop: str) -> Iterator[str]:
    """The hosts of a next hop, with a port if it is not 25; none if one of them is not understood."""
    found = list[str]()
    for written in words(hop):
        one = written.removeprefix("inet:")
        if one.startswith("["):
            host, _, port = one[1:].partition("]")
            port = port.removeprefix(":")
        else:
            host, _, port = one.partition(":")
        host = host.lower().removeprefix("ipv6:")
        number = SMTP_PORT if len(port) == 0 else port_number(port)
        try:
            endpoint = Endpoint.parse(f"[{host}]", number)
        except AddressError:
            return
        if number is None:
            return
        found.append(endpoint.host if number == SMTP_PORT else str(endpoint))
    yield from found
