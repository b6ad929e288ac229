"""Looks at this machine for `secondpost init`: its name, addresses, ports, programs and files (Linux)."""

import os
from collections.abc import Iterator

from secondpost.config.faults import Wrong
from secondpost.config.grammars import timezone
from secondpost.mail.address import Endpoint
from secondpost.setup.surroundings import WEB_SERVERS, FoundCertificate, Surroundings
from secondpost.world.real.dns_servers import RESOLV_CONF, parse_resolv_conf
from secondpost.world.real.interfaces import interface_addresses
from secondpost.world.real.port_holders import PROC, port_holders, running

LOW_PORT = 1024  # ip(7): what may be opened without rights begins here, if the kernel does not say
CERTBOT = "etc/letsencrypt/live"
ZONES = "/zoneinfo/"


def look_around_here(root: str = "/") -> Surroundings:
    """`root`: where the machine's files are, for tests."""
    is_root = os.geteuid() == 0
    return Surroundings(
        name=_name(root, os.uname().nodename),
        addresses=interface_addresses(),
        port_holders=port_holders(),
        programs=running(frozenset(WEB_SERVERS)),
        certificates=tuple(_certificates(os.path.join(root, CERTBOT))),
        resolvers=_resolvers(root),
        timezone=_timezone(root),
        is_root=is_root,
        has_systemd=os.path.isdir(os.path.join(root, "run/systemd/system")),
        low_port=0 if is_root else _low_port(),
    )


def _name(root: str, nodename: str) -> str:
    """The machine's full name: its own, or the one that /etc/hosts gives it (hosts(5))."""
    if "." in nodename:
        return nodename
    for line in _lines(os.path.join(root, "etc/hosts")):
        names = line.partition("#")[0].split()[1:]
        full = [name for name in names if name.startswith(f"{nodename}.")]
        if nodename in names and len(full) > 0:
            return full[0]
    return nodename


def _certificates(folder: str) -> Iterator[FoundCertificate]:
    """Those of certbot: a folder per certificate, named after its first host."""
    try:
        hosts = sorted(os.listdir(folder))
    except OSError:
        return
    for host in hosts:
        certificate, key = (os.path.join(folder, host, name) for name in ("fullchain.pem", "privkey.pem"))
        if os.path.isfile(certificate) and os.path.isfile(key):
            yield FoundCertificate(host, certificate, key)


def _resolvers(root: str) -> tuple[Endpoint, ...]:
    return parse_resolv_conf("\n".join(_lines(os.path.join(root, RESOLV_CONF.lstrip("/")))))


def _timezone(root: str) -> str:
    """The machine's time zone by its name (localtime(5)); UTC if it has none that we know."""
    try:
        name = os.readlink(os.path.join(root, "etc/localtime")).partition(ZONES)[2]
        return timezone(name)
    except (OSError, Wrong):
        return "UTC"


def _low_port() -> int:
    lines = _lines(os.path.join(PROC, "sys/net/ipv4/ip_unprivileged_port_start"))
    return int(lines[0]) if len(lines) > 0 and lines[0].isdecimal() else LOW_PORT


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()
    except OSError:
        return []
