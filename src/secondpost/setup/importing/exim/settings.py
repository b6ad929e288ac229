"""What becomes of the options: the name, listening addresses, the certificate and limits are taken over.

Specification, chapter 14, "Main configuration". Pure.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from secondpost.config.addresses import door, full_domain
from secondpost.config.faults import Wrong
from secondpost.config.positions import KeyPath
from secondpost.config.records.backup import GB, MESSAGE_OCTETS_LEAST
from secondpost.config.records.doors import RECIPIENTS_LEAST
from secondpost.mail.duration import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, duration_text
from secondpost.setup.answers import Entry, toml_text
from secondpost.setup.importing.carried import Fate, ReportLine
from secondpost.setup.importing.exim.expansion import ForcedFailure, NotExact
from secondpost.setup.importing.exim.matching import Lists
from secondpost.setup.importing.exim.remarks import OPTIONS, shown
from secondpost.setup.importing.exim.splitting import split_list
from secondpost.setup.importing.exim.statements import Configuration, SectionRule, Setting

SMTP_PORT = 25
SUBMISSION_PORTS = ("465", "587", "submission", "smtps", "submissions")
KB = 1_000
OURS_KEEP_MS = 31 * DAY_MS
KEEP_MS_MAX = 366 * DAY_MS
USUAL_CUTOFF_MS = 4 * DAY_MS  # of the retry rule in the file that Exim comes with, and in Debian's

_AMOUNT = re.compile(r"(\d{1,15})([KMGkmg]?)")
_TIMES = {"w": 7 * DAY_MS, "d": DAY_MS, "h": HOUR_MS, "m": MINUTE_MS, "s": SECOND_MS}
_TIME = re.compile(r"(?:(?:\d{1,9})[wdhms])+")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_RETRY = re.compile(r"[FGH]\s*,\s*([0-9wdhms]+)")


@dataclass(slots=True)
class Settings:
    """What the options give. `keep`, `max_size`: entries of each backup domain; `receive`: of that table."""

    hostname: str | None = None
    listen: tuple[str, ...] = ()
    certificate: str | None = None
    key: str | None = None
    receive: list[Entry] = field(default_factory=list)
    backup: list[Entry] = field(default_factory=list)
    report: list[ReportLine] = field(default_factory=list)

    def say(self, setting: Setting, fate: Fate, why: str = "", becomes: tuple[KeyPath, ...] = ()) -> None:
        text = f"{setting.name} = (not shown)" if setting.is_hidden else shown(setting.written)
        self.report.append(ReportLine(setting.place, text, fate, why, becomes))


def read_settings(old: Configuration, lists: Lists) -> Settings:
    given = Settings()
    ports = _ports(old, lists)
    for setting in old.settings:
        value = _exact(setting.value or "", lists)
        if old.setting(setting.name) is not setting:
            given.say(setting, Fate.NOT_CARRIED, "A later line sets it again.")
        elif value is None and setting.name in _CARRIED:
            given.say(setting, Fate.NOT_CARRIED, "Its value cannot be worked out here: set it yourself.")
        else:
            _read(setting, (value or "").strip(), ports, given)
    _read_retry(old.retry, given)
    if len(given.listen) == 0 and ports != ["25"]:
        given.listen = tuple(one for port in ports for one in _doors("::", [port]))
    return given


_CARRIED = frozenset(
    {
        "primary_hostname", "local_interfaces", "daemon_smtp_ports", "daemon_smtp_port", "tls_certificate",
        "tls_privatekey", "message_size_limit", "smtp_accept_max", "smtp_accept_max_per_host",
        "recipients_max",
        "smtp_receive_timeout",
    }
)  # fmt: skip


def _exact(value: str, lists: Lists) -> str | None:
    try:
        return lists.expander(None, {}).expand(value)
    except (NotExact, ForcedFailure):
        return None


def _read(setting: Setting, value: str, ports: list[str], given: Settings) -> None:
    match setting.name:
        case "primary_hostname":
            _read_hostname(setting, value, given)
        case "local_interfaces":
            _read_interfaces(setting, value, ports, given)
        case "daemon_smtp_ports" | "daemon_smtp_port":
            if any(port in SUBMISSION_PORTS for port in split_list(value)):
                why = "No mail is submitted to this server: ports 465 and 587 are left out."
                given.say(setting, Fate.CHANGED, why, (("receive", "listen"),) if ports != ["25"] else ())
            else:
                given.say(setting, Fate.CARRIED, "", (("receive", "listen"),) if ports != ["25"] else ())
        case "tls_certificate" if _is_path(value):
            given.certificate = value
            why = "The service's user must be able to read the file."
            given.say(setting, Fate.CHANGED, why, (("tls", "certificate"),))
            given.key = value if given.key is None else given.key  # §14: one file may have both
        case "tls_privatekey" if _is_path(value):
            given.key = value
            why = "The service's user must be able to read the file."
            given.say(setting, Fate.CHANGED, why, (("tls", "key"),))
        case "message_size_limit":
            _read_size(setting, value, given)
        case "smtp_accept_max":
            _read_number(setting, value, "connections", (1, 100_000), given)
        case "smtp_accept_max_per_host":
            _read_number(setting, value, "connections_per_client", (1, 100_000), given)
        case "recipients_max":
            _read_number(setting, value, "recipients", (RECIPIENTS_LEAST, 10_000), given)
        case "smtp_receive_timeout":
            _read_timeout(setting, value, given)
        case name:
            fate, why = OPTIONS.get(name, (Fate.NOT_CARRIED, "This server has no such setting."))
            given.say(setting, fate, why)


def _read_hostname(setting: Setting, value: str, given: Settings) -> None:
    try:
        name = full_domain(value)
    except Wrong:
        given.say(setting, Fate.NOT_CARRIED, "It is not a full name: give this server's own with --hostname.")
        return
    given.hostname = name.name
    given.say(setting, Fate.CARRIED, "", (("hostname",),))


def _ports(old: Configuration, lists: Lists) -> list[str]:
    text = old.text("daemon_smtp_ports") or old.text("daemon_smtp_port") or "25"
    value = _exact(text, lists)
    names = [{"smtp": "25"}.get(one, one) for one in split_list("25" if value is None else value)]
    ports = [one for one in names if _PORT.fullmatch(one) and one not in SUBMISSION_PORTS]
    return ports if len(ports) > 0 else ["25"]


def _read_interfaces(setting: Setting, value: str, ports: list[str], given: Settings) -> None:
    """§13.1: an address, alone or with a port as [address]:port or address.port."""
    doors, amiss = list[str](), list[str]()
    for item in split_list(value):
        if len(item) == 0:
            continue
        found = list(_doors(item, ports))
        doors += [one for one in found if one not in doors]
        if len(found) == 0:
            amiss.append(item)
    given.listen = tuple(doors)
    if len(doors) == 0:
        given.say(setting, Fate.NOT_CARRIED, "It names no address to listen on: set listen in [receive].")
    elif len(amiss) > 0:
        why = (
            f"Not taken over: {', '.join(amiss)}, which is no address, or a port for the submission of mail."
        )
        given.say(setting, Fate.CHANGED, why, (("receive", "listen"),))
    else:
        given.say(setting, Fate.CARRIED, "", (("receive", "listen"),))


def _doors(item: str, ports: list[str]) -> Iterator[str]:
    bracketed = re.fullmatch(r"\[([^\]]+)\](?::(\d+))?", item)
    dotted = re.fullmatch(r"(\d+\.\d+\.\d+\.\d+)\.(\d+)", item)
    address, port = item, None
    for match in (bracketed, dotted):
        if match is not None:
            address, port = match[1], match[2]
    address = "::" if address == "::0" else address
    for one in ports if port is None else [port]:
        written = f"[{address}]:{one}" if ":" in address else f"{address}:{one}"
        try:
            checked = door(written)
        except Wrong:
            continue
        if str(checked.port) not in SUBMISSION_PORTS:
            yield str(checked)


def _is_path(value: str) -> bool:
    return value.startswith("/") and value.isprintable() and ":" not in value


def _amount(value: str) -> int | None:
    match = _AMOUNT.fullmatch(value)
    if match is None:
        return None
    return int(match[1]) * {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}[match[2].lower()]


def _read_size(setting: Setting, value: str, given: Settings) -> None:
    octets = _amount(value)
    if octets is None:
        given.say(setting, Fate.NOT_CARRIED, "It is not a size that can be worked out: set max_size.")
        return
    wanted = GB if octets == 0 else octets
    taken = min(max(wanted, MESSAGE_OCTETS_LEAST), GB) // KB * KB
    given.backup.append(Entry("max_size", toml_text(f"{taken // KB} KB")))
    becomes = (("backup", 0, "max_size"),)
    if taken == octets:
        given.say(setting, Fate.CARRIED, "", becomes)
    else:
        given.say(
            setting, Fate.CHANGED, "Here a size is in steps of 1,000 octets, from 64 KB to 1 GB.", becomes
        )


def _read_number(setting: Setting, value: str, key: str, bounds: tuple[int, int], given: Settings) -> None:
    number = _amount(value)
    if number is None or number == 0:
        why = f"Here a limit always holds: {key} in [receive]."
        given.say(setting, Fate.NOT_CARRIED, why)
        return
    taken = min(max(number, bounds[0]), bounds[1])
    given.receive.append(Entry(key, toml_text(taken)))
    becomes = (("receive", key),)
    if taken == number:
        given.say(setting, Fate.CARRIED, "", becomes)
    else:
        given.say(setting, Fate.CHANGED, f"Here it is from {bounds[0]} to {bounds[1]}.", becomes)


def time_ms(text: str) -> int | None:
    """A time such as 1h30m (§6, "Time intervals")."""
    if _TIME.fullmatch(text) is None:
        return None
    return sum(int(number) * _TIMES[unit] for number, unit in re.findall(r"(\d+)([wdhms])", text))


def _read_timeout(setting: Setting, value: str, given: Settings) -> None:
    milliseconds = time_ms(value)
    if milliseconds is None or milliseconds == 0:
        given.say(
            setting, Fate.NOT_CARRIED, "Here a silent client is always left in the end: timeout in [receive]."
        )
        return
    taken = min(max(milliseconds, SECOND_MS), HOUR_MS)
    given.receive.append(Entry("timeout", toml_text(duration_text(taken))))
    fate, why = (Fate.CARRIED, "") if taken == milliseconds else (Fate.CHANGED, "Here it is an hour at most.")
    given.say(setting, fate, why, (("receive", "timeout"),))


def _read_retry(rules: tuple[SectionRule, ...], given: Settings) -> None:
    """Chapter 32: the last cutoff of a rule ends the attempts. The rule for everything gives `keep`."""
    is_first = True
    for rule in rules:
        words = rule.text.split(None, 2)
        cutoffs = [time_ms(one) for one in _RETRY.findall(rule.text)]
        last = max((one for one in cutoffs if one is not None), default=None)
        is_usual = len(words) > 1 and words[0] == "*" and words[1] == "*" and is_first
        if last is None or not is_usual:
            why = (
                "Every primary is tried anew every 30 seconds ([deliver] probe), and mail waits as keep says."
            )
            given.report.append(ReportLine(rule.place, shown(rule.written), Fate.NOT_CARRIED, why))
            continue
        is_first = False
        if last == USUAL_CUTOFF_MS:
            why = (
                "Exim's usual 4 days are not taken over: mail waits 31 days for its primary, and then for "
                "you. It is never returned to its sender."
            )
            given.report.append(ReportLine(rule.place, shown(rule.written), Fate.CHANGED, why))
        else:
            keep = min(max(last, HOUR_MS), KEEP_MS_MAX)
            given.backup.append(Entry("keep", toml_text(duration_text(keep // HOUR_MS * HOUR_MS))))
            why = "After that time the mail waits for you. It is never returned to its sender."
            line = ReportLine(rule.place, shown(rule.written), Fate.CHANGED, why, (("backup", 0, "keep"),))
            given.report.append(line)
