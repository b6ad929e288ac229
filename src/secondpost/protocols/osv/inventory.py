"""What is installed, under the names by which advisories know it, from what a machine says of itself.

Libraries of a distribution are judged by its own advisories, since it mends them under the old number:
Python, and the OpenSSL below it, count as the distribution's if it has a package of just that version.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from secondpost.protocols.osv.judging import PYPI, PYTHON_REPOSITORY, UPSTREAM, Installed

OPENSSL_REPOSITORY = "github.com/openssl/openssl"
SQLITE_REPOSITORY = "github.com/sqlite/sqlite"

# By the word of `--also`: how distributions call the source of each mail server.
MAIL_SERVERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"postfix": ("postfix",), "opensmtpd": ("opensmtpd",), "exim": ("exim4", "exim")}
)
TITLES: Mapping[str, str] = MappingProxyType({"postfix": "Postfix", "opensmtpd": "OpenSMTPD", "exim": "Exim"})

# By the ID of os-release: the ecosystem, and how much of VERSION_ID is its release.
_ECOSYSTEMS: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        "debian": ("Debian:", 1),
        "ubuntu": ("Ubuntu:", 2),
        "rocky": ("Rocky Linux:", 1),
        "almalinux": ("AlmaLinux:", 1),
        "rhel": ("Red Hat:enterprise_linux:", 1),
        "fedora": ("Fedora:", 1),
        "opensuse-leap": ("openSUSE:Leap ", 2),
    }
)


@dataclass(frozen=True, slots=True)
class SystemPackage:
    """A package of the distribution, by its source: advisories are about sources."""

    source: str
    version: str  # of the source, as the distribution writes it


@dataclass(frozen=True, slots=True)
class MachineContents:
    """`packages`: None if no list of the distribution's packages can be read here."""

    secondpost: str
    python: str
    openssl: str  # that Python uses
    openssl_inside: str  # that the package cryptography brings along; "" if it brings none
    sqlite: str
    python_packages: Mapping[str, str]  # name to version
    ecosystem: str = ""  # of the distribution, with its release; "" if it is not known here
    packages: Sequence[SystemPackage] | None = None


def inventory_of(contents: MachineContents, also: Sequence[str] = ()) -> tuple[Installed, ...]:
    """`also`: words of MAIL_SERVERS."""
    return (*_our_own(contents), *(one for word in also for one in _servers(contents, word)))


def _our_own(contents: MachineContents) -> Iterator[Installed]:
    yield Installed("Secondpost", PYPI, "secondpost", contents.secondpost)
    python, openssl = contents.python, contents.openssl
    series = f"python{'.'.join(python.split('.')[:2])}"
    yield _of_distribution(contents, "Python", series, python) or Installed(
        "Python", UPSTREAM, PYTHON_REPOSITORY, python
    )
    yield _of_distribution(contents, "OpenSSL of Python", "openssl", openssl) or Installed(
        "OpenSSL of Python", UPSTREAM, OPENSSL_REPOSITORY, openssl
    )
    if len(contents.openssl_inside) > 0:
        inside = contents.openssl_inside
        yield Installed("OpenSSL of cryptography", UPSTREAM, OPENSSL_REPOSITORY, inside)
    yield Installed("SQLite", UPSTREAM, SQLITE_REPOSITORY, contents.sqlite)
    for name, version in sorted(contents.python_packages.items()):
        if name != "secondpost":
            yield Installed(name, PYPI, name, version)


def _of_distribution(contents: MachineContents, title: str, source: str, version: str) -> Installed | None:
    for package in contents.packages or ():
        if package.source == source and _upstream(package.version) == version:
            return Installed(title, contents.ecosystem, source, package.version)
    return None


def _servers(contents: MachineContents, word: str) -> Iterator[Installed]:
    for package in contents.packages or ():
        if package.source in MAIL_SERVERS[word]:
            yield Installed(TITLES[word], contents.ecosystem, package.source, package.version)


def _upstream(version: str) -> str:
    """The upstream version in one of a distribution: without epoch, revision and what was repacked."""
    _, _, rest = version.rpartition(":")
    return rest.partition("-")[0].partition("+")[0].partition("~")[0]


# -- what a machine's files say
def ecosystem_of(os_release: str) -> str:
    """The ecosystem of the distribution, from os-release(5); "" if it is not known here."""
    values = dict(line.split("=", 1) for line in os_release.splitlines() if "=" in line)
    plain = {key.strip(): value.strip().strip("\"'") for key, value in values.items()}
    id, release = plain.get("ID", ""), plain.get("VERSION_ID", "")
    if id not in _ECOSYSTEMS or len(release) == 0:
        return ""
    ecosystem, parts = _ECOSYSTEMS[id]
    is_lts = id == "ubuntu" and "LTS" in plain.get("VERSION", "")
    return ecosystem + ".".join(release.split(".")[:parts]) + (":LTS" if is_lts else "")


def dpkg_packages(status: str) -> list[SystemPackage]:
    """The installed packages of dpkg's status file, each source once."""
    found: dict[SystemPackage, None] = {}
    for stanza in status.split("\n\n"):
        fields = dict(
            line.split(": ", 1) for line in stanza.splitlines() if ": " in line and not line.startswith(" ")
        )
        if fields.get("Status", "").split()[-1:] != ["installed"] or "Package" not in fields:
            continue
        # Source has a version of its own if the binary package's differs.
        source, _, version = fields.get("Source", fields["Package"]).partition(" ")
        found[SystemPackage(source, version.strip("()") or fields.get("Version", ""))] = None
    return list(found)


RPM_FORMAT = "%{SOURCERPM}\\t%{EPOCHNUM}\\t%{VERSION}\\t%{RELEASE}\\n"


def rpm_packages(said: str) -> list[SystemPackage]:
    """What `rpm -qa --qf RPM_FORMAT` prints."""
    found: dict[SystemPackage, None] = {}
    for line in said.splitlines():
        source_rpm, *numbers = line.split("\t")
        if len(numbers) == 3 and source_rpm.endswith(".src.rpm"):
            epoch, version, release = numbers
            source = source_rpm.rsplit("-", 2)[0]
            found[SystemPackage(source, f"{epoch}:{version}-{release}")] = None
    return list(found)
