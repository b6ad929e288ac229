"""What the statements of smtpd.conf say, in both formats: rules, actions, listeners and settings."""

from dataclasses import dataclass
from enum import StrEnum

from secondpost.setup.importing.opensmtpd.lexer import SmtpdStatement
from secondpost.setup.importing.opensmtpd.tables import SmtpdTable


class SmtpdFrom(StrEnum):
    """Where a session comes from."""

    LOCAL = "local"  # an address of the machine itself, or a local program
    ANY = "any"
    SOCKET = "socket"  # a local program
    ADDRESSES = "src"
    NAMES = "rdns"


class SmtpdFor(StrEnum):
    """What a recipient's domain is."""

    LOCAL = "local"  # the server's own name, and localhost
    ANY = "any"
    DOMAINS = "domain"


@dataclass(frozen=True, slots=True)
class SmtpdCondition:
    """`table`: None if the condition has none, such as `tls`."""

    table: SmtpdTable | None = None
    is_not: bool = False
    is_regex: bool = False


@dataclass(frozen=True, slots=True)
class SmtpdSource:
    kind: SmtpdFrom = SmtpdFrom.LOCAL  # the usual one in both formats
    condition: SmtpdCondition = SmtpdCondition()
    is_said: bool = False


@dataclass(frozen=True, slots=True)
class SmtpdDestination:
    kind: SmtpdFor = SmtpdFor.LOCAL  # the usual one in both formats
    condition: SmtpdCondition = SmtpdCondition()
    is_said: bool = False


@dataclass(frozen=True, slots=True)
class SmtpdRelay:
    """Mail goes to another server: to the MX of its domain, or to `host`."""

    host: SmtpdTable | None = None  # URLs
    by_domain: SmtpdTable | None = None  # from domains to URLs
    is_backup: bool = False
    backup_name: str | None = None
    auth: SmtpdTable | None = None
    tls: str | None = None  # "": demanded; "verify" and "no-verify" as written
    source: SmtpdTable | None = None
    helo: str | None = None
    helo_names: SmtpdTable | None = None
    mail_from: str | None = None
    pki: str | None = None
    ca: str | None = None
    ttl: str | None = None
    extras: tuple[str, ...] = ()  # options that change no rule, as written


@dataclass(frozen=True, slots=True)
class SmtpdLocal:
    """Mail stays on this machine. `method`: as today's smtpd.conf names it, with its argument."""

    method: tuple[str, ...]
    alias: SmtpdTable | None = None
    virtual: SmtpdTable | None = None
    userbase: SmtpdTable | None = None
    user: str | None = None
    wrapper: str | None = None
    ttl: str | None = None

    @property
    def forwards_only(self) -> bool:
        return self.method == ("forward-only",)


SmtpdAction = SmtpdRelay | SmtpdLocal


@dataclass(frozen=True, slots=True)
class SmtpdRule:
    """The first rule that matches decides. `action`: None to reject."""

    statement: SmtpdStatement
    source: SmtpdSource
    destination: SmtpdDestination
    action: SmtpdAction | None
    action_statement: SmtpdStatement | None = None  # of an action with a name
    tag: SmtpdCondition | None = None
    sender: SmtpdCondition | None = None
    recipient: SmtpdCondition | None = None
    helo: SmtpdCondition | None = None
    login: SmtpdCondition | None = None
    tls: SmtpdCondition | None = None


@dataclass(frozen=True, slots=True)
class SmtpdListener:
    """`interface`: an address, a name, or an interface; None is the local socket. `port`: as written."""

    statement: SmtpdStatement
    interface: str | None
    family: str | None = None  # inet4 or inet6
    port: str | None = None
    tls: str | None = None  # tls, tls-require, smtps or secure
    auth: str | None = None  # auth or auth-optional
    tag: str | None = None
    pki: str | None = None
    hostname: str | None = None
    extras: tuple[str, ...] = ()  # options that no rule depends on, as written


@dataclass(frozen=True, slots=True)
class SmtpdPki:
    statement: SmtpdStatement
    name: str
    certificate: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class SmtpdSetting:
    """A setting of the server as a whole. `name`: as in today's smtpd.conf; `value`: "" if it has none."""

    statement: SmtpdStatement
    name: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class SmtpdTableStatement:
    statement: SmtpdStatement
    table: SmtpdTable


@dataclass(frozen=True, slots=True)
class SmtpdActionStatement:
    statement: SmtpdStatement
    name: str
    action: SmtpdAction


@dataclass(frozen=True, slots=True)
class SmtpdIdle:
    """A statement that only other statements use: a macro or an include."""

    statement: SmtpdStatement


SmtpdSaid = (
    SmtpdRule
    | SmtpdListener
    | SmtpdPki
    | SmtpdSetting
    | SmtpdTableStatement
    | SmtpdActionStatement
    | SmtpdIdle
)
