"""The answers from which `secondpost init` writes the configuration. Pure.

Each value is the text that stands in the file. What an earlier file has besides is kept as it is:
`answers_of` reads it, so that a second run begins with everything the first one wrote and the owner
added.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

ANY_DOMAIN = "*"  # of a route
RELAY = "relay"  # the lane of mail for backup domains


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the file: its value is written as in TOML."""

    key: str
    value: str


Entries = tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class OtherTable:
    """A table about which nothing is asked, kept from an earlier file; `header` with its brackets."""

    header: str
    entries: Entries


@dataclass(frozen=True, slots=True)
class BackupAnswer:
    domain: str
    recipients: tuple[str, ...] = ("learn",)
    primary: tuple[str, ...] = ()  # empty: the better MX hosts in DNS
    more: Entries = ()


@dataclass(frozen=True, slots=True)
class NewsletterAnswer:
    name: str
    sender: str
    feeds: tuple[str, ...]
    every: str
    timezone: str
    more: Entries = ()


@dataclass(frozen=True, slots=True)
class SmartHostAnswer:
    host: str
    username: str | None = None
    password_file: str | None = None
    relays: bool = False  # mail for backup domains takes this way too
    more: Entries = ()


@dataclass(frozen=True, slots=True)
class Answers:
    hostname: str
    store: str
    owner: tuple[str, ...]
    backups: tuple[BackupAnswer, ...] = ()
    newsletter: NewsletterAnswer | None = None
    addresses: tuple[str, ...] = ()  # public ones that this machine does not know itself
    smart_host: SmartHostAnswer | None = None
    acme: str | None = None  # our address for a certificate authority
    certificate: str | None = None
    key: str | None = None
    pages: str | None = None  # the URL of the pages; None: https:// and the hostname
    pages_listen: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    listen: tuple[str, ...] = ()  # empty: port 25 of every address
    dns_servers: tuple[str, ...] = ()  # empty: those of /etc/resolv.conf
    more: Entries = ()
    others: tuple[OtherTable, ...] = ()


# What stands in the file for an answer that is not given yet: every value alone is without fault.
NOT_ANSWERED = Answers("host.unanswered.invalid", "/unanswered", ("owner@unanswered.invalid",))


def toml_text(value: object) -> str:
    """A value of the configuration as TOML; its strings are written as in JSON (TOML 1.0, String)."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case list() | tuple():
            return f"[{', '.join(toml_text(one) for one in value)}]"
        case _:
            return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


@dataclass(slots=True)
class _Taken:
    """A table of the earlier file, of which each key is taken once; the rest are its other entries."""

    values: dict[str, object] = field(default_factory=dict)

    def text(self, key: str) -> str | None:
        value = self.values.pop(key, None)
        return None if value is None else str(value)

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.values.pop(key, [])
        return tuple(str(one) for one in value) if isinstance(value, list) else ()

    def more(self) -> Entries:
        return tuple(Entry(key, toml_text(value)) for key, value in self.values.items())


def answers_of(values: Mapping[str, object]) -> Answers:
    """The answers that stand in a configuration without faults, parsed from TOML."""
    top = _Taken(dict(values))
    web, tls = _table(top, "web"), _table(top, "tls")
    receive, dns = _table(top, "receive"), _table(top, "dns")
    top.values.pop("version", None)
    smart_host, routes = _smart_host(_tables(top, "route"))
    newsletters = _tables(top, "newsletter")
    answers = Answers(
        hostname=top.text("hostname") or "",
        store=top.text("store") or "",
        owner=top.texts("owner"),
        backups=tuple(_backup(one) for one in _tables(top, "backup")),
        newsletter=_newsletter(newsletters[0]) if len(newsletters) > 0 else None,
        addresses=top.texts("addresses"),
        smart_host=smart_host,
        acme=tls.text("acme"),
        certificate=tls.text("certificate"),
        key=tls.text("key"),
        pages=web.text("url"),
        pages_listen=web.texts("listen"),
        proxies=web.texts("trusted_proxies"),
        listen=receive.texts("listen"),
        dns_servers=dns.texts("servers"),
    )
    rest = [("[web]", web), ("[tls]", tls), ("[receive]", receive), ("[dns]", dns)]
    rest += [(f"[{name}]", _table(top, name)) for name in [*top.values] if isinstance(top.values[name], dict)]
    rest += [("[[route]]", route) for route in routes] + [("[[newsletter]]", one) for one in newsletters[1:]]
    others = tuple(OtherTable(header, table.more()) for header, table in rest if len(table.values) > 0)
    return replace(answers, more=top.more(), others=others)


def _table(top: _Taken, name: str) -> _Taken:
    value = top.values.pop(name, {})
    return _Taken(dict(value) if isinstance(value, dict) else {})


def _tables(top: _Taken, name: str) -> Sequence[_Taken]:
    value = top.values.pop(name, [])
    return [_Taken(dict(one)) for one in value] if isinstance(value, list) else []


def _backup(table: _Taken) -> BackupAnswer:
    return BackupAnswer(
        domain=table.text("domain") or "",
        recipients=table.texts("recipients") or BackupAnswer("").recipients,
        primary=table.texts("primary"),
        more=table.more(),
    )


def _newsletter(table: _Taken) -> NewsletterAnswer:
    return NewsletterAnswer(
        name=table.text("name") or "",
        sender=table.text("from") or "",
        feeds=table.texts("feeds"),
        every=table.text("every") or "when ready",
        timezone=table.text("timezone") or "UTC",
        more=table.more(),
    )


def _smart_host(routes: Sequence[_Taken]) -> tuple[SmartHostAnswer | None, Sequence[_Taken]]:
    """The smart host for all mail, and the routes that say something else."""
    usual = next((one for one in routes if _goes_for_all(one, None)), None)
    if usual is None:
        return None, routes
    host = usual.values.get("host")
    second = next(
        (one for one in routes if _goes_for_all(one, RELAY) and one.values.get("host") == host), None
    )
    others = [one for one in routes if one is not usual and one is not second]
    usual.values.pop("domain")
    answer = SmartHostAnswer(
        host=usual.text("host") or "",
        username=usual.text("username"),
        password_file=usual.text("password_file"),
        relays=second is not None,
        more=usual.more(),
    )
    return answer, others


def _goes_for_all(route: _Taken, lane: str | None) -> bool:
    return route.values.get("domain") == ANY_DOMAIN and route.values.get("lane") == lane
