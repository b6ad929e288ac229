"""MTA-STS (RFC 8461): the TXT record that names a policy's version, and the policy itself."""

import re
from dataclasses import dataclass, replace

from secondpost.mail.sts_policy import StsMode

POLICY_OCTETS_MAX = 65_536  # RFC 8461 §3.3: at least 64 KB must be read
MAX_AGE_SECONDS_MAX = 31_557_600  # RFC 8461 §3.2
ID_CHARACTERS_MAX = 32
HOSTS_MAX = 100  # mx lines
POLICY_HOST = "mta-sts."  # before the domain, RFC 8461 §3.2
POLICY_PATH = "/.well-known/mta-sts.txt"

_ID = re.compile(rf"[A-Za-z0-9]{{1,{ID_CHARACTERS_MAX}}}")
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


class StsFault(ValueError):
    """A record or a policy that senders do not understand. The text is the reason."""


@dataclass(frozen=True, slots=True)
class Policy:
    mode: StsMode
    max_age_seconds: int
    hosts: tuple[str, ...] = ()  # patterns, lower case: "mx.example.net" or "*.example.net"

    def names(self, host: str) -> bool:
        return any(matches(pattern, host) for pattern in self.hosts)

    def with_host(self, host: str) -> "Policy":
        return replace(self, hosts=(*self.hosts, host))

    @property
    def text(self) -> str:
        """The policy as it is served (RFC 8461 §3.2)."""
        hosts = [f"mx: {host}" for host in self.hosts]
        lines = ["version: STSv1", f"mode: {self.mode}", *hosts, f"max_age: {self.max_age_seconds}"]
        return "".join(f"{line}\r\n" for line in lines)


def policy_url(domain: str) -> str:
    return f"https://{POLICY_HOST}{domain}{POLICY_PATH}"


def matches(pattern: str, host: str) -> bool:
    """Whether an mx pattern covers a host: `*` stands for one whole label (RFC 8461 §4.1)."""
    if pattern.startswith("*."):
        return host.partition(".")[2] == pattern[2:]
    return host == pattern


def parse_policy(text: str) -> Policy:
    """Parse a policy (RFC 8461 §3.2). Unknown keys are ignored. Raises StsFault."""
    values: dict[str, str] = {}
    hosts: list[str] = []
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        key, value = key.strip(), value.strip()
        if len(line.strip()) == 0:
            continue
        if len(colon) == 0 or _KEY.fullmatch(key) is None:
            raise StsFault(f"{line.strip()[:60]!r} is no line of a policy")
        if key == "mx":
            hosts.append(value.lower().rstrip("."))
        else:
            values.setdefault(key, value)  # §3.2: of a repeated key the first counts
    if values.get("version") != "STSv1":
        raise StsFault("it does not begin with version: STSv1")
    return Policy(_mode(values.get("mode", "")), _age(values.get("max_age", "")), _hosts(hosts, values))


def _mode(value: str) -> StsMode:
    try:
        return StsMode(value)
    except ValueError:
        raise StsFault(f"its mode {value!r} is none of enforce, testing and none") from None


def _age(value: str) -> int:
    if not (value.isascii() and value.isdigit()) or int(value[:12]) > MAX_AGE_SECONDS_MAX:
        raise StsFault(f"its max_age {value!r} is no number of seconds up to {MAX_AGE_SECONDS_MAX}")
    return int(value)


def _hosts(hosts: list[str], values: dict[str, str]) -> tuple[str, ...]:
    if len(hosts) == 0 and values.get("mode") != StsMode.NONE:
        raise StsFault("it has no mx line")
    return tuple(hosts[:HOSTS_MAX])


def parse_id(record: str) -> str:
    """The id of the TXT record at _mta-sts (RFC 8461 §3.1). Raises StsFault."""
    first, *rest = [part.strip() for part in record.split(";")]
    if first != "v=STSv1":
        raise StsFault("it does not begin with v=STSv1;")
    for part in rest:
        name, _, value = part.partition("=")
        if name.strip() == "id":
            if _ID.fullmatch(value.strip()) is None:
                raise StsFault(f"its id must have 1 to {ID_CHARACTERS_MAX} letters and digits")
            return value.strip()
    raise StsFault("it has no id")


def next_id(identity: str) -> str:
    """Another id that sorts after this one if both are numbers, as dates are."""
    if identity.isdigit() and len(identity) < ID_CHARACTERS_MAX:
        return str(int(identity) + 1).zfill(len(identity))
    return f"{identity[: ID_CHARACTERS_MAX - 1]}1" if not identity.endswith("1") else f"{identity[:-1]}2"
