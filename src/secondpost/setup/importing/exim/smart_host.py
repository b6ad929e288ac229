"""The smart host, to which the old server sends mail for every other domain, and its login. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from secondpost.config.addresses import endpoint
from secondpost.config.faults import Wrong
from secondpost.mail.plan import TlsDemand
from secondpost.setup.answers import Entry, SmartHostAnswer, toml_text
from secondpost.setup.importing.carried import Fate, OldPlace, ReportLine
from secondpost.setup.importing.exim.expansion import ForcedFailure, NotExact
from secondpost.setup.importing.exim.matching import Lists
from secondpost.setup.importing.exim.remarks import driver_text
from secondpost.setup.importing.exim.routing import ToHosts
from secondpost.setup.importing.exim.statements import Configuration, Driver
from secondpost.setup.importing.exim.tables import Search, TableRow, Tables

PASSWORD_FILE = "passwords/smart-host"  # beside the new file
CLIENT_LOGINS = "passwd.client"  # Debian's file
SMTP_PORT, SUBMISSIONS_PORT = 25, 465

_CARET = re.compile(r"(?<!\^)\^(?!\^)")  # between the parts of a PLAIN login; twice is one inside (§34.1)


@dataclass(frozen=True, slots=True)
class ClientLogin:
    """`place`: where it stands; the password is never shown."""

    username: str
    password: str
    place: OldPlace


@dataclass(frozen=True, slots=True)
class SmartHost:
    answer: SmartHostAnswer
    way: ToHosts
    password: str | None
    report: tuple[ReportLine, ...]


def usual_port(transport: Driver | None) -> int:
    """The port of a transport's hosts (§30.1, `port` and `protocol`)."""
    written = "" if transport is None else (transport.text("port") or "").strip()
    is_smtps = transport is not None and (transport.text("protocol") or "").strip() == "smtps"
    if re.fullmatch(r"[1-9][0-9]{0,4}", written) is not None:
        return int(written)
    return {"smtps": SUBMISSIONS_PORT, "submissions": SUBMISSIONS_PORT, "submission": 587}.get(
        written, SUBMISSIONS_PORT if is_smtps else SMTP_PORT
    )


def smart_host_of(way: ToHosts, old: Configuration, lists: Lists) -> SmartHost | None:
    """None: its hosts have no name that can stand in the new file."""
    port = usual_port(way.transport)
    # Tables of its own: what holds passwords must not be taken for lists of domains or recipients.
    lists = replace(lists, tables=Tables(lists.tables.files))
    for host in way.hosts:
        try:
            where = str(endpoint(SMTP_PORT)(host.text(port)))
        except Wrong:
            continue
        login = _login(host.name, way.transport, old, lists)
        more = tuple(_tls(way.transport, has_login=login is not None))
        answer = SmartHostAnswer(
            host=where.removesuffix(":25"),
            username=None if login is None else login.username,
            password_file=None if login is None else PASSWORD_FILE,
            more=more,
        )
        password = None if login is None else login.password
        return SmartHost(answer, way, password, tuple(_report(way, login)))
    return None


def _report(way: ToHosts, login: ClientLogin | None) -> Iterator[ReportLine]:
    becomes = ("route", 0, "host")
    if len(way.hosts) > 1:
        why = "Only the first of its hosts is taken over: a smart host is one name here."
        yield ReportLine(way.router.place, driver_text(way.router), Fate.CHANGED, why, (becomes,))
    else:
        why = "Mail to readers and mail of the server itself takes this way."
        yield ReportLine(way.router.place, driver_text(way.router), Fate.CARRIED, why, (becomes,))
    if login is not None:
        why = f"The password, which is not shown here, is in {PASSWORD_FILE} beside the new file."
        keys = (("route", 0, "username"), ("route", 0, "password_file"))
        yield ReportLine(login.place, f"the login of {login.username}", Fate.CHANGED, why, keys)


def _tls(transport: Driver | None, *, has_login: bool) -> Iterator[Entry]:
    if transport is None:
        return
    is_required = (transport.text("hosts_require_tls") or "").strip() == "*"
    if not is_required and not has_login:
        return
    is_verified = (transport.text("tls_verify_hosts") or "").strip() == "*"
    if is_verified:
        yield Entry("tls", toml_text(TlsDemand.VERIFY.value))
    elif is_required:
        yield Entry("tls", toml_text(TlsDemand.ENCRYPT.value))


def _login(host: str, transport: Driver | None, old: Configuration, lists: Lists) -> ClientLogin | None:
    """What the first client authenticator that can say it would send to this host."""
    if transport is None or not _authenticates(host, transport, lists):
        return None
    for driver in old.authenticators:
        pair = _pair(driver, host, lists)
        if pair is not None and all(_is_clean(one) for one in pair):
            return ClientLogin(*pair, _place_of(driver, host, lists))
    return None


def _authenticates(host: str, transport: Driver, lists: Lists) -> bool:
    for name in ("hosts_require_auth", "hosts_try_auth"):
        value = transport.text(name)
        said = "" if value is None else _expanded(value, host, lists)
        if said is None or len(re.sub(r"^<.", "", said.strip()).strip()) > 0:
            return True
    return False


def _pair(driver: Driver, host: str, lists: Lists) -> tuple[str, str] | None:
    """The name and password of CRAM-MD5, PLAIN or LOGIN (chapters 34 and 35)."""
    name, secret = driver.text("client_name"), driver.text("client_secret")
    if name is not None and secret is not None:
        values = _expanded(name, host, lists), _expanded(secret, host, lists)
        return (values[0], values[1]) if values[0] and values[1] else None
    send = _expanded(driver.text("client_send") or "", host, lists)
    if send is None:
        return None
    if send.strip().startswith("<;"):
        parts = [one.strip() for one in send.strip()[2:].split(";")]
    else:
        parts = [one.replace("\0", ":").strip() for one in send.replace("::", "\0").split(":")]
    if len(parts) == 1:
        parts = _CARET.split(parts[0])
    parts = [one.replace("^^", "^") for one in parts]
    return (parts[1], parts[2]) if len(parts) == 3 and parts[1] and parts[2] else None


def _expanded(text: str, host: str, lists: Lists) -> str | None:
    """With what is known once the connection is there and encrypted."""
    known = {"host": host, "host_address": "198.51.100.1", "tls_out_cipher": "known", "tls_cipher": "known"}
    try:
        return lists.expander(None, known).expand(text)
    except (NotExact, ForcedFailure):
        return None


def _place_of(driver: Driver, host: str, lists: Lists) -> OldPlace:
    """The line of the table from which the login came; else the authenticator."""
    for path in tuple(dict.fromkeys(path for path, _ in lists.tables.read)):
        found = (
            lists.tables.find(Search("nwildlsearch"), path, host) if path.endswith(CLIENT_LOGINS) else None
        )
        if isinstance(found, TableRow):
            return OldPlace(path, found.line)
    return driver.place


def _is_clean(text: str) -> bool:
    return text.isprintable()
