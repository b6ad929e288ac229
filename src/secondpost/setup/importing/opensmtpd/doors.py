"""The addresses to listen on, the name and the certificate, from listeners and pki."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from secondpost.config.addresses import door, full_domain, ip_address
from secondpost.config.faults import Wrong
from secondpost.setup.importing.carried import Fate
from secondpost.setup.importing.old_files import NotRead, OldFiles
from secondpost.setup.importing.opensmtpd.ledger import SmtpdLedger
from secondpost.setup.importing.opensmtpd.statements import SmtpdListener, SmtpdPki
from secondpost.setup.importing.opensmtpd.strangers import is_for_logins, is_local_listener
from secondpost.setup.importing.opensmtpd.targets import PORT_NAMES, SMTP_PORT

MAILNAME = "/etc/mailname"  # the server's name, if the file is there (smtpd.conf(5), FILES)
EVERYWHERE = {"inet4": "0.0.0.0", "inet6": "::"}
ALL_ADDRESSES = ("all", "any", "*")

FOR_PROGRAMS = "It is for programs of the old machine; Secondpost takes no mail from local programs."
FOR_LOGINS = (
    "It is for people who log in to send. Secondpost takes no such mail: let them use their provider's."
)
NOT_OF_MATTER = {
    "filter": "Filters are not run: the primary judges the mail.",
    "auth-optional": "No one can log in.",
    "tls-require": "TLS is offered, and not demanded: a backup takes mail from all servers.",
    "senders": "No one can log in.",
    "proxy-v2": "The PROXY protocol is not spoken; let clients connect directly.",
    "ca": "No certificate of a client is asked for.",
    "verify": "No certificate of a client is asked for.",
}


@dataclass(frozen=True, slots=True)
class OldDoors:
    """`listen`: empty for port 25 of every address; `hostname`: None if it is not said."""

    listen: tuple[str, ...]
    hostname: str | None
    certificate: str | None
    key: str | None


@dataclass(frozen=True, slots=True)
class DoorReader:
    files: OldFiles
    ledger: SmtpdLedger
    listeners: Sequence[SmtpdListener]
    pkis: Sequence[SmtpdPki]

    def read(self) -> OldDoors:
        listen: list[str] = []
        everywhere = False
        for one in self.listeners:
            if is_local_listener(one):
                self.ledger.say(one.statement, Fate.NOT_CARRIED, FOR_PROGRAMS)
            elif is_for_logins(one):
                self.ledger.say(one.statement, Fate.NOT_CARRIED, FOR_LOGINS)
            else:
                opened = self._open(one)
                everywhere = everywhere or opened is None
                listen += [opened] if opened is not None and opened not in listen else []
        certificate, key = self._certificate()
        return OldDoors(() if everywhere else tuple(listen), self._hostname(), certificate, key)

    def _public(self) -> Iterator[SmtpdListener]:
        return (one for one in self.listeners if not is_local_listener(one) and not is_for_logins(one))

    def _open(self, one: SmtpdListener) -> str | None:
        """An address and port to listen on; None for all addresses."""
        whys = list(_whys(one))
        port = _port(one)
        address = _address(one)
        if address is None and port == SMTP_PORT:
            if one.interface not in ALL_ADDRESSES:
                whys.append("Which addresses the interface has is not known here: all are listened on.")
            self.ledger.say(one.statement, Fate.CHANGED if len(whys) > 0 else Fate.CARRIED, " ".join(whys))
            return None
        host = "::" if address is None else address
        written = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            door(written)
        except Wrong as wrong:
            self.ledger.say(one.statement, Fate.NOT_CARRIED, f"It cannot be listened on: {wrong.reason}.")
            return None
        fate = Fate.CHANGED if len(whys) > 0 else Fate.CARRIED
        self.ledger.say(one.statement, fate, " ".join(whys), ("receive", "listen"))
        return written

    def _hostname(self) -> str | None:
        """The name in the greeting of the first listener for strangers, else that of the machine."""
        for one in self._public():
            if one.hostname is not None and _is_name(one.hostname):
                self.ledger.say(one.statement, Fate.CARRIED, "", ("hostname",))
                return one.hostname.lower()
        text = self.files.text(MAILNAME)
        name = "" if isinstance(text, NotRead) else text.strip().partition("\n")[0].strip()
        return name.lower() if _is_name(name) else None

    def _certificate(self) -> tuple[str | None, str | None]:
        """Of the pki that a listener for strangers names, else of one with its name, else of the first."""
        found: dict[str, list[SmtpdPki]] = {}
        for one in self.pkis:
            found.setdefault(one.name.lower(), []).append(one)
        named = [one.pki or one.hostname for one in self._public() if one.tls is not None]
        chosen = next((name.lower() for name in named if name is not None and name.lower() in found), None)
        if chosen is None and len(named) > 0:
            chosen = next(iter(found), None)
        for one in self.pkis:
            if one.name.lower() != chosen:
                why = "There is one certificate, which is that of the listener for other servers."
                self.ledger.say(one.statement, Fate.NOT_CARRIED, why)
        if chosen is None:
            return None, None
        certificate = next((one.certificate for one in found[chosen] if one.certificate is not None), None)
        key = next((one.key for one in found[chosen] if one.key is not None), None)
        whole = certificate is not None and key is not None
        for one in found[chosen]:
            self._say_pki(one, is_carried=whole)
        return (certificate, key) if whole else (None, None)

    def _say_pki(self, one: SmtpdPki, *, is_carried: bool) -> None:
        if one.certificate is None and one.key is None:
            self.ledger.say(one.statement, Fate.NOT_CARRIED, "Secondpost's own choice of ciphers is used.")
            return
        if not is_carried:
            self.ledger.say(one.statement, Fate.NOT_CARRIED, "Certificate and key have to be there both.")
            return
        keys = [("tls", "certificate")] if one.certificate is not None else []
        keys += [("tls", "key")] if one.key is not None else []
        self.ledger.say(one.statement, Fate.CARRIED, "", *keys)


def _whys(one: SmtpdListener) -> Iterator[str]:
    words = [extra.partition(" ")[0] for extra in one.extras] + [one.tls or ""]
    for word in words:
        if word in NOT_OF_MATTER:
            yield NOT_OF_MATTER[word]
    if one.tls == "smtps":
        yield "Port 25 offers STARTTLS; TLS from the first octet is not spoken on it."
    if any(extra.startswith("hostnames") for extra in one.extras):
        yield "The greeting is the same on all addresses: `hostname`."


def _port(one: SmtpdListener) -> int:
    if one.port is None:
        return SMTP_PORT
    return int(one.port) if one.port.isdigit() else PORT_NAMES.get(one.port, SMTP_PORT)


def _address(one: SmtpdListener) -> str | None:
    """None for an interface or a name, whose addresses are not known."""
    try:
        address = ip_address((one.interface or "").removeprefix("ipv6:").strip("[]"))
    except Wrong:
        return EVERYWHERE.get(one.family or "") if one.interface in ALL_ADDRESSES else None
    return None if address in EVERYWHERE.values() and _is_both(one) else address


def _is_both(one: SmtpdListener) -> bool:
    """A wildcard of IPv6 takes IPv4 too here, so both together are all addresses."""
    return one.interface == "::" and one.family != "inet4"


def _is_name(name: str) -> bool:
    try:
        full_domain(name)
    except Wrong:
        return False
    return True
