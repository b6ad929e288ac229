"""What is about the machine: its name, its addresses and ports, the certificate, limits on clients."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from secondpost.config.addresses import full_domain, ip_address
from secondpost.config.faults import Wrong
from secondpost.mail.address import Endpoint, as_ip
from secondpost.mail.duration import HOUR_MS, SECOND_MS, duration_text
from secondpost.setup.answers import NOT_ANSWERED, Entry, toml_text
from secondpost.setup.importing.old_files import NotRead, OldFiles
from secondpost.setup.importing.postfix.amounts import number, time_ms
from secondpost.setup.importing.postfix.ledger import PostfixLedger
from secondpost.setup.importing.postfix.services import SMTP_PORT, OldService
from secondpost.setup.importing.postfix.settings import PostfixSettings
from secondpost.setup.importing.postfix.statements import MainStatement
from secondpost.setup.importing.postfix.words import words

HOSTNAME_FILE = "/etc/hostname"
RECIPIENTS_LEAST, RECIPIENTS_MOST = 100, 10_000  # [receive] recipients
CONNECTIONS_MOST = 100_000  # [receive] connections_per_client
LOOPBACK = {"ipv4": "127.0.0.1", "ipv6": "::1"}

_TLS_OFF = ("", "none")


def machine_defaults(files: OldFiles, main: Mapping[str, MainStatement]) -> Mapping[str, str]:
    """myhostname and mydomain as Postfix derives them from each other and from the machine's name."""
    text = files.text(HOSTNAME_FILE)
    name = "" if isinstance(text, NotRead) else text.strip().partition("\n")[0].strip()
    if len(name) == 0:
        name = NOT_ANSWERED.hostname
    elif "." not in name:
        name = f"{name}.$mydomain" if "mydomain" in main else f"{name}.localdomain"
    written = main["myhostname"].value if "myhostname" in main else name
    _, dot, rest = written.partition(".")
    return {"myhostname": name, "mydomain": rest if len(dot) > 0 and "$" not in rest else "localdomain"}


@dataclass(frozen=True, slots=True)
class MachineAnswers:
    hostname: str
    addresses: tuple[str, ...]
    listen: tuple[str, ...]
    certificate: str | None
    key: str | None
    receive: tuple[Entry, ...]


def machine_answers(
    settings: PostfixSettings, doors: Sequence[OldService], ledger: PostfixLedger
) -> MachineAnswers:
    """`doors`: the services on which strangers could deliver; none if there is no master.cf."""
    certificate, key = _certificate(settings, ledger)
    return MachineAnswers(
        hostname=_hostname(settings, ledger),
        addresses=tuple(_addresses(settings, ledger)),
        listen=_listen(settings, doors, ledger),
        certificate=certificate,
        key=key,
        receive=tuple(_receive(settings, ledger)),
    )


def _hostname(settings: PostfixSettings, ledger: PostfixLedger) -> str:
    written = settings.text("myhostname")
    if settings.is_set("mydomain"):
        ledger.carried("mydomain", why="It was put in wherever other lines name it.")
    try:
        hostname = full_domain(written).name
    except Wrong as wrong:
        ledger.not_carried("myhostname", f"{wrong}. Say this server's name with --hostname.")
        return NOT_ANSWERED.hostname
    if hostname != NOT_ANSWERED.hostname:
        ledger.carried("myhostname", ("hostname",))
    return hostname


def _addresses(settings: PostfixSettings, ledger: PostfixLedger) -> Iterator[str]:
    for word in words(settings.text("proxy_interfaces")):
        try:
            yield ip_address(word.strip("[]"))
            ledger.carried("proxy_interfaces", ("addresses",))
        except Wrong:
            ledger.changed("proxy_interfaces", f"{word} is not an address; write it into `addresses`.")


def _listen(settings: PostfixSettings, doors: Sequence[OldService], ledger: PostfixLedger) -> tuple[str, ...]:
    """Empty: port 25 of every address, which is the default."""
    protocols = settings.text("inet_protocols").lower()
    families = [one for one in LOOPBACK if protocols in ("all", one) or one in words(protocols)]
    named = [door for door in doors if len(door.address) > 0]
    ports = sorted({door.port for door in doors if door.port > 0}) or [SMTP_PORT]
    if len(named) > 0:
        ledger.carried("inet_interfaces", why="The services of master.cf name the addresses themselves.")
        found = {str(Endpoint(door.address, door.port)) for door in named if as_ip(door.address) is not None}
        return tuple(sorted(found))
    hosts = list[str]()
    for word in words(settings.text("inet_interfaces")):
        if word.lower() == "all":
            hosts += [] if len(families) == len(LOOPBACK) else ["0.0.0.0" if "ipv4" in families else "::"]
        elif word.lower() in ("loopback-only", "localhost"):
            hosts += [LOOPBACK[family] for family in families]
        elif as_ip(word.strip("[]")) is not None:
            hosts.append(str(as_ip(word.strip("[]"))))
        else:
            why = (
                f"The address of {word} is not known here: mail is accepted on all of them. Write those that "
            )
            ledger.changed("inet_interfaces", f"{why}you want into `listen` of [receive].")
            return ()
    hosts = list(dict.fromkeys(hosts)) or (["::"] if ports != [SMTP_PORT] else [])
    becomes = (("receive", "listen"),) if len(hosts) > 0 else ()
    ledger.carried("inet_interfaces", *becomes)
    ledger.carried("inet_protocols", *becomes, why="Mail goes out by both protocols all the same.")
    return tuple(str(Endpoint(host, port)) for host in hosts for port in ports)


def _certificate(settings: PostfixSettings, ledger: PostfixLedger) -> tuple[str | None, str | None]:
    """The paths of certificate and key, if Postfix offered TLS."""
    is_off = settings.text("smtpd_tls_security_level").lower() in _TLS_OFF and not (
        settings.is_on("smtpd_use_tls") or settings.is_on("smtpd_enforce_tls")
    )
    names = ("smtpd_tls_chain_files", "smtpd_tls_cert_file", "smtpd_tls_key_file")
    if is_off:
        for name in names:
            if settings.is_set(name):
                ledger.not_carried(name, "Postfix offered no TLS: smtpd_tls_security_level was not set.")
        return None, None
    chains = [path for path in words(settings.text("smtpd_tls_chain_files")) if path.isprintable()]
    if len(chains) > 0:
        ledger.carried(names[0], ("tls", "certificate"), ("tls", "key"))
        if len(chains) > 1:
            ledger.changed(names[0], "One certificate is enough; the first file is taken.")
        return _path(chains[0]), _path(chains[0])
    certificate, key = settings.text(names[1]), settings.text(names[2])
    if not all(path.startswith("/") and path.isprintable() for path in (certificate, key)):
        ledger.not_carried(names[1], "Its path and that of its key are not absolute.")
        return None, None
    ledger.carried(names[1], ("tls", "certificate"))
    why = "The service's user has to be able to read it."
    ledger.carried(names[2], ("tls", "key"), why=why)
    level = settings.text("smtpd_tls_security_level")
    if level.lower() == "encrypt":
        ledger.changed("smtpd_tls_security_level", "Mail that comes without TLS is taken too.")
    else:
        ledger.carried("smtpd_tls_security_level")
    return _path(certificate), _path(key)


def _path(written: str) -> str:
    return written.rstrip("/")


def _receive(settings: PostfixSettings, ledger: PostfixLedger) -> Iterator[Entry]:
    """Entries of [receive] besides `listen`."""
    if settings.is_set("smtpd_forbid_bare_newline"):
        yield from _bare_newlines(settings.text("smtpd_forbid_bare_newline").lower(), ledger)
    yield from _number(
        settings, ledger, "smtpd_recipient_limit", "recipients", RECIPIENTS_LEAST, RECIPIENTS_MOST
    )
    name = "smtpd_client_connection_count_limit"
    yield from _number(settings, ledger, name, "connections_per_client", 1, CONNECTIONS_MOST)
    if settings.is_set("smtpd_timeout"):
        timeout = time_ms(settings.text("smtpd_timeout"), "s")
        if timeout is None or not SECOND_MS <= timeout <= HOUR_MS:
            ledger.not_carried("smtpd_timeout", "It must be between 1 second and 1 hour.")
        else:
            ledger.carried("smtpd_timeout", ("receive", "timeout"))
            yield Entry("timeout", toml_text(duration_text(timeout)))


def _bare_newlines(written: str, ledger: PostfixLedger) -> Iterator[Entry]:
    if written == "reject":
        ledger.carried("smtpd_forbid_bare_newline", ("receive", "bare_newlines"))
        yield Entry("bare_newlines", toml_text("refuse"))
    elif written == "no":
        ledger.changed("smtpd_forbid_bare_newline", "Bare newlines are corrected here, and logged.")
    else:
        ledger.carried("smtpd_forbid_bare_newline")


def _number(
    settings: PostfixSettings, ledger: PostfixLedger, name: str, key: str, least: int, most: int
) -> Iterator[Entry]:
    if not settings.is_set(name):
        return
    value = number(settings.text(name))
    if value is None:
        ledger.not_carried(name, "It is not a number.")
        return
    bounded = min(max(value, least), most) if value > 0 else most
    if bounded == value:
        ledger.carried(name, ("receive", key))
    else:
        ledger.changed(name, f"It is between {least} and {most} here.", ("receive", key))
    yield Entry(key, str(bounded))
