"""What is installed on this machine: Secondpost and what it stands on, and the distribution's packages."""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import partial
from importlib import metadata

from cryptography.hazmat.backends.openssl.backend import backend

from secondpost import __version__
from secondpost.config.files import FileWrong, OpenToRead, open_to_read, read_file
from secondpost.protocols.osv.circumstances import Circumstance
from secondpost.protocols.osv.inventory import (
    RPM_FORMAT,
    MachineContents,
    SystemPackage,
    dpkg_packages,
    ecosystem_of,
    rpm_packages,
)
from secondpost.protocols.osv.judging import python_name
from secondpost.world.real.package_files import DPKG_STATUS, OS_RELEASE
from secondpost.world.real.programs import ProgramFailed, output_of

STATUS_OCTETS_MAX = 64 * 1024 * 1024
OS_RELEASE_OCTETS_MAX = 64 * 1024
_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_BARE_NEWLINES_ALLOWED = frozenset({"no", ""})
_POSTFIX_KEYS = ("smtpd_forbid_bare_newline", "smtpd_data_restrictions")


def machine_contents(
    libraries: Mapping[str, str], open_file: OpenToRead = open_to_read, *, runs_programs: bool = False
) -> MachineContents:
    """`libraries`: the versions of Python, OpenSSL and SQLite. `runs_programs`: whether `rpm` may be asked
    too; a role may run none.
    """
    text = partial(_text, open_file=open_file)
    status = text(DPKG_STATUS, STATUS_OCTETS_MAX)
    packages = None if status is None else dpkg_packages(status)
    if packages is None and runs_programs:
        packages = _packages_of_rpm()
    return MachineContents(
        secondpost=__version__,
        python=libraries["Python"],
        openssl=libraries["OpenSSL"],
        openssl_inside=_openssl_version(backend.openssl_version_text()),
        sqlite=libraries["SQLite"],
        python_packages=python_packages("secondpost"),
        ecosystem=ecosystem_of(text(OS_RELEASE, OS_RELEASE_OCTETS_MAX) or ""),
        packages=packages,
    )


def python_packages(root: str) -> dict[str, str]:
    """The version of everything installed that a package needs, itself or by others."""
    found: dict[str, str] = {}
    waiting = [root]
    while len(waiting) > 0:
        name = python_name(waiting.pop())
        if name in found:
            continue
        with suppress(metadata.PackageNotFoundError):
            distribution = metadata.distribution(name)
            found[name] = distribution.version
            waiting += _required(distribution.requires or ())
    return found


def _required(requirements: Iterable[str]) -> Iterable[str]:
    """The names, without those of extras; one that only another platform needs is not installed."""
    for requirement in requirements:
        wanted, _, marker = requirement.partition(";")
        name = _REQUIREMENT.match(wanted.strip())
        if name is not None and "extra" not in marker:
            yield name[0]


def mail_server_circumstances() -> dict[Circumstance, bool]:
    """How the mail servers of this machine are set up, as far as they tell it."""
    found: dict[Circumstance, bool] = {}
    with suppress(ProgramFailed):
        forbids, restrictions = output_of("postconf", "-h", *_POSTFIX_KEYS).split("\n")[:2]
        found[Circumstance.POSTFIX_BARE_NEWLINES] = (
            forbids.strip() in _BARE_NEWLINES_ALLOWED and "reject_unauth_pipelining" not in restrictions
        )
    for exim in ("exim4", "exim"):
        with suppress(ProgramFailed):
            said = output_of(exim, "-bP", "authenticators")
            drivers = set(re.findall(r"^driver = (\w+)$", said, re.MULTILINE))
            found[Circumstance.EXIM_SPA] = "spa" in drivers
            found[Circumstance.EXIM_EXTERNAL] = "external" in drivers
            found[Circumstance.EXIM_PROXY] = _has_proxies(exim)
            break
    return found


def _has_proxies(exim: str) -> bool:
    """Raises ProgramFailed."""
    try:
        return len(output_of(exim, "-bP", "hosts_proxy").partition("=")[2].strip()) > 0
    except ProgramFailed as failed:
        if "is not a known option" in str(failed):  # it is built without
            return False
        raise


def _packages_of_rpm() -> list[SystemPackage] | None:
    try:
        return rpm_packages(output_of("rpm", "-qa", "--qf", RPM_FORMAT))
    except ProgramFailed:
        return None


def _openssl_version(text: str) -> str:
    """The version in a text such as "OpenSSL 3.0.17 1 Jul 2025"; "" for another library's."""
    name, _, rest = text.partition(" ")
    return rest.partition(" ")[0] if name == "OpenSSL" else ""


def _text(path: str, octets_max: int, open_file: OpenToRead) -> str | None:
    try:
        return read_file(path, octets_max, open_file).decode("utf-8", errors="replace")
    except FileWrong:
        return None
