"""The files that systemd needs to run Secondpost with a unit per role, made from the configuration.

secondpost.target             holds the others together
secondpost-store.service      prepares the store, as root, before the roles start
secondpost-ROLE.service       a supervisor with one role, in a root with nothing but what it needs
secondpost-ROLE.socket        the ports of receive and web, which these cannot open themselves
"""

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from secondpost.config.files import credential_name
from secondpost.config.records import Config, RecipientFile
from secondpost.mail.address import Endpoint
from secondpost.mail.store_rooms import readable_by, run_room, writable_by
from secondpost.setup.unit_file import SystemdFile, bound, unit_file, word
from secondpost.setup.unit_users import ROOTS, folders_file, groups_of_role, user_of_role, users_file
from secondpost.setup.unit_walls import (
    KEEPING,
    LIMITS,
    NETWORK,
    NO_NETWORK,
    PREPARING_WALLS,
    PRIVATE_NETWORKS,
    START_LIMIT,
    WALLS,
    Directive,
)

TARGET = "secondpost.target"
STORE_UNIT = "secondpost-store.service"
SINGLE_UNIT = "secondpost.service"  # of an installation with one unit for all roles
SPEAKING = ("deliver", "fetch")  # the roles that open connections
SOCKET_SECTION = "Socket"
BACKLOG_CONNECTIONS = 1024
# Where files of others lie too: the file itself is bound, not its folder.
SHARED_FOLDERS = frozenset({"/", "/etc", "/home", "/opt", "/root", "/srv", "/tmp", "/usr/local/etc", "/var"})
# Read by Python and OpenSSL in every role, if there: time zones, defaults. No private key lies there.
READ_BY_ALL = (
    "/etc/localtime",
    "/etc/machine-id",
    "/etc/ssl/openssl.cnf",
    "/usr/lib/ssl",
    "/usr/share/zoneinfo",
)
JOURNAL = "/run/systemd/journal/socket"
# What a distribution says is installed: a folder, since its file is replaced.
PACKAGE_PLACES = ("/etc/os-release", "/var/lib/dpkg")
# Read by those that open connections: name servers, and whom this machine trusts.
READ_BY_SPEAKERS = ("/etc/resolv.conf", "/etc/ssl/certs", "/usr/share/ca-certificates")


@dataclass(frozen=True, slots=True)
class UnitMachine:
    """What the units take from this machine. `program`: the files and folders without which the
    interpreter does not run; `name_servers`: the addresses of those it asks, at least one.
    """

    python: str
    program: tuple[str, ...]
    name_servers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RoleUnit:
    """`doors`: the addresses on which the role listens."""

    role: str
    doors: tuple[Endpoint, ...]

    @property
    def has_socket(self) -> bool:
        """Whether systemd opens them. A role that may open connections listens by itself: that is for
        figures, and it does without if the port is taken.
        """
        return len(self.doors) > 0 and self.role not in SPEAKING


def service_of(role: str) -> str:
    return f"secondpost-{role}.service"


def socket_of(role: str) -> str:
    return f"secondpost-{role}.socket"


def systemd_files(config: Config, roles: Sequence[RoleUnit], machine: UnitMachine) -> tuple[SystemdFile, ...]:
    """All files, the units first. `config.path` is absolute."""
    names = [unit.role for unit in roles]
    sockets = [_socket(unit) for unit in roles if unit.has_socket]
    return (
        _target(roles),
        _preparing(config, machine),
        *(_service(config, unit, machine) for unit in roles),
        *sockets,
        users_file(config.user, names),
        folders_file(names),
    )


def _target(roles: Sequence[RoleUnit]) -> SystemdFile:
    services = " ".join(service_of(unit.role) for unit in roles)
    sockets = " ".join(socket_of(unit.role) for unit in roles if unit.has_socket)
    about = (
        ("Description", "Secondpost"),
        ("Wants", f"{STORE_UNIT} {services} {sockets}"),
        ("PropagatesReloadTo", services),
        ("Conflicts", SINGLE_UNIT),
        ("After", f"{SINGLE_UNIT} {services}"),
    )
    return unit_file(TARGET, [("Unit", about), ("Install", [("WantedBy", "multi-user.target")])])


def _preparing(config: Config, machine: UnitMachine) -> SystemdFile:
    about = (
        ("Description", "Secondpost: rooms, keys and databases of the store"),
        ("PartOf", TARGET),
        ("RequiresMountsFor", word(config.store)),
        ("After", SINGLE_UNIT),
    )
    service = (
        ("Type", "oneshot"),
        ("RemainAfterExit", "yes"),
        ("ExecStart", f"{_command(config, machine)} systemd --prepare-store"),
        *PREPARING_WALLS,
    )
    return unit_file(STORE_UNIT, [("Unit", about), ("Service", service)])


def _service(config: Config, unit: RoleUnit, machine: UnitMachine) -> SystemdFile:
    role = unit.role
    about = (
        ("Description", f"Secondpost: {role}"),
        ("PartOf", TARGET),
        ("Requires", f"{STORE_UNIT} {socket_of(role)}" if unit.has_socket else STORE_UNIT),
        ("Wants", "network-online.target"),
        ("After", f"{STORE_UNIT} network-online.target"),
        *START_LIMIT,
    )
    service = (
        ("ExecStart", f"{_command(config, machine, 'secondpost.processes')} serve --role {role}"),
        ("ExecReload", f"{_command(config, machine)} reload --role {role}"),
        *KEEPING,
        ("User", user_of_role(role)),
        ("Group", user_of_role(role)),
        ("SupplementaryGroups", " ".join(groups_of_role(role))),
        *(("LoadCredential", f"{credential_name(path)}:{word(path)}") for path in secrets_of(config, role)),
        ("RootDirectory", f"{ROOTS}/{role}"),
        *_binds(config, role, machine),
        *WALLS,
        *_network(config, role, machine),
        *LIMITS,
    )
    return unit_file(service_of(role), [("Unit", about), ("Service", service)])


def _command(config: Config, machine: UnitMachine, module: str = "secondpost") -> str:
    return f"{word(machine.python)} -P -m {module} --config {word(config.path)}"


def secrets_of(config: Config, role: str) -> tuple[str, ...]:
    """The secret files that the configuration names and this role reads, and certificates."""
    pair = [config.tls.certificate, config.tls.key]
    match role:
        case "receive" | "web":
            named = pair
        case "deliver":  # it watches how long the certificate is valid
            named = [*pair, *(route.password_file for route in config.routes)]
        case "fetch":
            named = [config.acme.root, config.acme.key_file]
            named += [config.reach.globalping_token_file, config.reach.atlas_key_file]
        case _:
            named = []
    return tuple(dict.fromkeys(path for path in named if path is not None))


def _binds(config: Config, role: str, machine: UnitMachine) -> Iterator[Directive]:
    """The interpreter, the configuration, and the rooms: all that is in the role's root."""
    for path in machine.program:
        yield "BindReadOnlyPaths", bound(path)
    for path in (*READ_BY_ALL, JOURNAL, *(READ_BY_SPEAKERS if role in SPEAKING else ())):
        yield "BindReadOnlyPaths", bound(path, is_optional=True)
    if role == "deliver" and config.watch.advisories:
        for path in PACKAGE_PLACES:
            yield "BindReadOnlyPaths", bound(path, is_optional=True)
    for path in _named_by_owner(config, role):
        yield "BindReadOnlyPaths", bound(path)
    # All sockets may be seen and connected to; making one is for each role in its own room.
    run = posixpath.dirname(run_room(role).folder)
    for folder in (run, *(room.folder for room in readable_by(role))):
        yield "BindReadOnlyPaths", bound(posixpath.join(config.store, folder))
    for room in writable_by(role):
        yield "BindPaths", bound(posixpath.join(config.store, room.folder))


def _named_by_owner(config: Config, role: str) -> tuple[str, ...]:
    """The configuration and the lists of recipients: their folders, since an editor replaces a file."""
    files = [config.path]
    if role == "receive":
        sources = (source for backup in config.backups for source in backup.recipients)
        files += [source.path for source in sources if isinstance(source, RecipientFile)]
    return tuple(dict.fromkeys(map(_folder_or_file, files)))


def _folder_or_file(path: str) -> str:
    folder = posixpath.dirname(path)
    return path if folder in SHARED_FOLDERS else folder


def _network(config: Config, role: str, machine: UnitMachine) -> Iterator[Directive]:
    if role not in SPEAKING:
        yield from NO_NETWORK
        return
    yield from NETWORK
    if role == "fetch" and not config.fetch.allow_private:
        yield "IPAddressDeny", " ".join(PRIVATE_NETWORKS)
        yield "IPAddressAllow", " ".join(dict.fromkeys(machine.name_servers))


def _socket(unit: RoleUnit) -> SystemdFile:
    about = (
        ("Description", f"Secondpost: ports of {unit.role}"),
        ("StopPropagatedFrom", TARGET),  # PartOf= would close the ports in every restart of the target
    )
    socket = (
        *(("ListenStream", str(endpoint)) for endpoint in unit.doors),
        ("BindIPv6Only", "both"),
        ("Backlog", str(BACKLOG_CONNECTIONS)),
        ("FreeBind", "yes"),
    )
    return unit_file(socket_of(unit.role), [("Unit", about), (SOCKET_SECTION, socket)])
