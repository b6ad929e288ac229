"""What `secondpost init` sees of this machine: a value, gathered in world/real/surroundings. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from secondpost.mail.address import Endpoint, without_zone

WEB_SERVERS = ("nginx", "caddy", "apache2", "httpd")  # programs that can stand in front of the pages
OURS = "secondpost"
FORWARDERS = ("127.0.0.53", "127.0.0.54")  # systemd-resolved(8)
HTTPS_PORTS = (80, 443)


@dataclass(frozen=True, slots=True)
class PortHolder:
    """A TCP port on which a program listens; `program` is "" if it cannot be seen."""

    endpoint: Endpoint
    program: str


@dataclass(frozen=True, slots=True)
class FoundCertificate:
    """A certificate of another program, such as certbot, for one host."""

    hostname: str
    certificate: str
    key: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    name: str  # its own full name, or only the first label
    addresses: frozenset[str]  # of its interfaces
    port_holders: tuple[PortHolder, ...] = ()
    programs: frozenset[str] = frozenset()  # those of WEB_SERVERS that run
    certificates: tuple[FoundCertificate, ...] = ()
    resolvers: tuple[Endpoint, ...] = ()  # those of /etc/resolv.conf
    timezone: str = "UTC"
    is_root: bool = False
    has_systemd: bool = False
    low_port: int = 1024  # the lowest port that this user may open

    @property
    def public_addresses(self) -> tuple[str, ...]:
        """Its addresses that the internet can reach, IPv4 first."""
        public = [ip_address(one) for one in self.addresses]
        chosen = [one for one in public if one.is_global and not one.is_multicast]
        return tuple(str(one) for one in sorted(chosen, key=lambda one: (one.version, int(one))))

    @property
    def private_addresses(self) -> tuple[str, ...]:
        """Its other addresses, without loopback and link-local ones."""
        own = [ip_address(one) for one in self.addresses]
        chosen = [one for one in own if not (one.is_global or one.is_loopback or one.is_link_local)]
        return tuple(str(one) for one in sorted(chosen, key=lambda one: (one.version, int(one))))

    @property
    def has_own_resolver(self) -> bool:
        """Whether the first DNS server is on this machine, and more than systemd's forwarder."""
        if len(self.resolvers) == 0 or self.resolvers[0].host in FORWARDERS:
            return False
        return ip_address(without_zone(self.resolvers[0].host)).is_loopback

    @property
    def web_server(self) -> str | None:
        """The web server that runs here: one that has its ports, before one that merely runs."""
        holders = [program for port in HTTPS_PORTS for program in self.holders(port)]
        for program in (*holders, *sorted(self.programs)):
            if program in WEB_SERVERS:
                return program
        return None

    def holders(self, port: int) -> Sequence[str]:
        """The programs that listen on a port, ours left out; "" for one that cannot be seen."""
        found = [one.program for one in self.port_holders if one.endpoint.port == port]
        return list(dict.fromkeys(program for program in found if program != OURS))

    def can_open(self, port: int) -> bool:
        return port >= self.low_port
