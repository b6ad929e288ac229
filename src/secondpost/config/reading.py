"""Read the file into the tree of records, or report every fault at once.

`syntax` gives plain values with their lines, `older` brings those of an earlier version to today's,
`tables` makes the records, `agreement` checks keys against each other.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from secondpost.config import tables
from secondpost.config.agreement import Read, check_agreement
from secondpost.config.faults import ConfigFaults, Fault
from secondpost.config.files import FilesBeside
from secondpost.config.key import kind
from secondpost.config.keys import TOP, VERSION_KEY, VERSION_NUMBER, header
from secondpost.config.older import VERSIONS, as_today, version_of
from secondpost.config.records import Alarms, Config, Deliver, Dns, Fetch, Receive, Send
from secondpost.config.section import Findings, Section
from secondpost.config.syntax import FILE_OCTETS_MAX, TomlDocument, read_document
from secondpost.config.versions import VERSION
from secondpost.config.warnings import Warning, warnings
from secondpost.mail.address import Domain

__all__ = ["ConfigFaults", "Fault", "Warning", "parse_config", "read_config", "warnings"]

CREDENTIALS_DIRECTORY = "CREDENTIALS_DIRECTORY"  # systemd.exec(5)

R = TypeVar("R")


def read_config(path: str, role: str | None = None, *, are_files_checked: bool = True) -> Config:
    """Read a configuration file. Raises ConfigFaults.

    With a `role` the files are checked that this role uses; it may not be able to read others. Without
    `are_files_checked` none are.
    """
    data = read_octets(path)
    return parse_config(data, path, are_files_checked=are_files_checked, role=role)


def read_octets(path: str) -> bytes:
    """What is in the file, as far as it is looked at. Raises ConfigFaults."""
    try:
        with open(path, "rb") as file:
            return file.read(FILE_OCTETS_MAX + 1)  # of a file without end, such as a device, no more
    except OSError as error:
        raise ConfigFaults(path, (Fault("", 0, f"it cannot be read: {error.strerror}"),)) from None


def read_values(data: bytes) -> Mapping[str, object]:
    """The values of a file without faults, as a file of today's version has them."""
    document = read_document(data)
    assert isinstance(document, TomlDocument), "it was read before"
    findings = Findings(document.positions, version=version_of(document.values))
    return {**as_today(document.values, findings), "version": VERSION}


def parse_config(
    data: bytes, path: str, *, are_files_checked: bool = True, role: str | None = None
) -> Config:
    """Parse a configuration. Raises ConfigFaults; relative paths start from the folder of `path`.

    Without `are_files_checked` the files that it names are not read: for a configuration that was
    accepted before.
    """
    document = read_document(data)
    if not isinstance(document, TomlDocument):
        raise ConfigFaults(path, document)
    version = version_of(document.values)
    findings = Findings(document.positions, document.put_aside, list(document.faults), version)
    folder = os.path.dirname(os.path.abspath(path))
    beside = FilesBeside(folder, are_files_checked, role, os.environ.get(CREDENTIALS_DIRECTORY))
    config = _config(path, as_today(document.values, findings), findings, beside)
    if len(findings.faults) > 0:
        raise ConfigFaults(path, tuple(findings.faults))
    return replace(config, text=data, version=version)


def _config(path: str, values: Mapping[str, object], findings: Findings, beside: FilesBeside) -> Config:
    """The tree; it must not be used if `findings` has faults."""
    top = Section(TOP, (), values, findings)
    _version(top)
    taken = dict(tables.values(top, beside))
    hostname = taken["hostname"]
    assert isinstance(hostname, Domain)
    tls = _table(top, "tls")
    backups = _repeated(top, "backup", lambda section: tables.backup(section, beside))
    routes = _repeated(top, "route", lambda section: tables.route(section, beside))
    newsletters = _repeated(top, "newsletter", lambda section: tables.newsletter(section, beside))
    whole: Callable[..., Config] = Config
    config = whole(
        **{"bounces": hostname, **taken},
        path=path,
        web=tables.web(_table(top, "web"), beside, hostname),
        tls=tables.tls(tls, beside),
        acme=tables.acme(_table(top, "acme"), tls, beside),
        receive=tables.read_table(_table(top, "receive"), beside, Receive),
        dns=tables.read_table(_table(top, "dns"), beside, Dns),
        deliver=tables.read_table(_table(top, "deliver"), beside, Deliver),
        fetch=tables.read_table(_table(top, "fetch"), beside, Fetch),
        send=tables.read_table(_table(top, "send"), beside, Send),
        dkim=tables.dkim(_table(top, "dkim"), beside),
        metrics=tables.metrics(_table(top, "metrics")),
        alarms=tables.read_table(_table(top, "alarms"), beside, Alarms),
        watch=tables.watch(_table(top, "watch"), beside),
        reach=tables.reach(_table(top, "reach"), beside),
        backups=tuple(backups.values()),
        routes=tuple(routes.values()),
        newsletters=tuple(newsletters.values()),
    )
    check_agreement(Read(config, backups, routes, newsletters), findings)
    return config


def _version(top: Section) -> None:
    version = top.need("version", VERSION_NUMBER, VERSION_KEY.need, None)
    if version is not None and version not in VERSIONS:
        known = f"this program reads versions {VERSIONS[0]} to {VERSION}"
        hint = f"{known}; a newer one may read it" if version > VERSION else known
        top.fault("version", f"version {version} is not supported", hint)


def _table(top: Section, name: str) -> Section:
    value = top.values.get(name, {})
    if not isinstance(value, dict):
        top.fault(name, f"it is {_kind_of(value)}", f"open it with {header(name)}")
        value = {}
    return Section(name, (name,), value, top.findings)


def _repeated(top: Section, name: str, read: Callable[[Section], R | None]) -> dict[int, R]:
    """Records by number from 0; those that cannot be made are left out."""
    value = top.values.get(name, [])
    if not isinstance(value, list) or not all(isinstance(table, dict) for table in value):
        top.fault(name, f"it is {_kind_of(value)}", f"open each with {header(name)}, in double brackets")
        return {}
    made = {}
    for number, table in enumerate(value):
        one = read(Section(name, (name, number), table, top.findings))
        if one is not None:
            made[number] = one
    return made


def _kind_of(value: object) -> str:
    if isinstance(value, list) and len(value) > 0 and all(isinstance(table, dict) for table in value):
        return "opened with double brackets"
    if isinstance(value, dict):
        return "opened with single brackets"
    return kind(value)
