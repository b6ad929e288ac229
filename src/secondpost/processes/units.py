"""The units for this machine and a configuration."""

import os
import sys
from dataclasses import replace

from secondpost.config.records import Config
from secondpost.mail.store_rooms import ROLES
from secondpost.processes.roles import doors_of, roles_of
from secondpost.setup.unit_file import SystemdFile
from secondpost.setup.units import RoleUnit, UnitMachine, systemd_files
from secondpost.world.real.dns_servers import Servers
from secondpost.world.real.program_files import program_files
from secondpost.world.real.systemd import installed_text


def units_here(config: Config) -> tuple[SystemdFile, ...]:
    """Every file that systemd needs for this configuration."""
    return _units(config, roles_of(config))


def places_of_units(config: Config) -> tuple[str, ...]:
    """Every place below /etc where a file may stand that was made from this configuration, or from
    what it was before.
    """
    return tuple(file.place for file in _units(config, ROLES))


def installed_units(config: Config) -> dict[str, str]:
    """The texts of the files that stand below /etc, by place."""
    found = {file.place: installed_text(file.place) for file in _units(config, ROLES)}
    return {place: text for place, text in found.items() if text is not None}


def _units(config: Config, roles: tuple[str, ...]) -> tuple[SystemdFile, ...]:
    here = replace(config, path=os.path.abspath(config.path))
    units = [RoleUnit(role, doors_of(config, role)) for role in roles]
    servers = [server.host.partition("%")[0] for server in Servers(config.dns.servers).now()]
    machine = UnitMachine(sys.executable, program_files(), tuple(servers))
    return systemd_files(here, units, machine)
