"""What a configuration permits but the owner should know: `check config` shows it, `serve` starts
regardless.
"""

import pwd
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from secondpost.config.addresses import is_loopback
from secondpost.config.files import can_read, others_can_read
from secondpost.config.records import (
    AnyRecipient,
    Backup,
    Config,
    Deliver,
    DoorSpeech,
    Newsletter,
    RecipientUrl,
    Route,
    Start,
)
from secondpost.config.versions import place_in
from secondpost.mail.address import Endpoint, Mailbox
from secondpost.mail.duration import duration_text
from secondpost.mail.envelope import Lane
from secondpost.mail.plan import TlsDemand
from secondpost.mail.size import size_text

DNS_PORT = 53
SMTP_PORT = 25
RESERVE_OCTETS_ENOUGH = 100_000_000
OUR_LANGUAGE = "en"  # of the texts in our pages and mails


@dataclass(frozen=True, slots=True)
class Warning:
    """A warning; `key` is written as in a Fault."""

    key: str
    text: str
    is_idle: bool = False  # the key has no effect in this version, which `serve` reports too

    def __str__(self) -> str:
        return f"{self.key}: {self.text}"


def user_exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def warnings(
    config: Config,
    exists: Callable[[str], bool] = user_exists,
    readable: Callable[[str], bool] = others_can_read,
    usable: Callable[[str, str], bool] = can_read,
) -> tuple[Warning, ...]:
    """All warnings, in the order of docs/settings.md, each with its key as the file has it.

    The functions examine this machine: does a user exist, can all read a file, can a certain user.
    """
    found = (
        *_top(config, exists),
        *_tls(config, readable),
        *_receive(config),
        *_web(config),
        *_dns_and_deliver(config),
        *_fetch_send_and_sign(config),
        *_metrics(config),
        *_watch(config),
        *_reach(config, readable, usable),
        *(
            warning
            for number, one in enumerate(config.backups, 1)
            for warning in _backup(f"backup[{number}]", one)
        ),
        *(
            warning
            for number, one in enumerate(config.routes, 1)
            for warning in _route(f"route[{number}]", one, config, readable, usable)
        ),
        *(
            warning
            for number, one in enumerate(config.newsletters, 1)
            for warning in _newsletter(f"newsletter[{number}]", one)
        ),
    )
    return tuple(replace(one, key=_as_written(one.key, config.version)) for one in found)


def _as_written(key: str, version: int) -> str:
    """`table.key`, as a file of `version` has it."""
    table, dot, name = key.partition(".")
    return ".".join(place_in(version, table, name)) if len(dot) > 0 else key


def _top(config: Config, exists: Callable[[str], bool]) -> Iterator[Warning]:
    if len(config.backups) == 0:
        yield Warning("backup", "no domain is backed up here, so no mail is accepted")
    if len(config.owner) > 0 and all(_goes_by_a_primary(config, one) for one in config.owner):
        text = (
            "a [[route]] leads every address through a primary that is backed up here: an alarm that it is "
            "down would wait for it; add an address somewhere else"
        )
        yield Warning("owner", text)
    if not exists(config.user):
        # Only the default user may be missing: processes/user refuses any other.
        usual = config.user == Config.__dataclass_fields__["user"].default
        then = "the service would stay root" if usual else "the service would not start"
        yield Warning("user", f"this machine has no user {config.user}: started by root, {then}")
    if config.reserve < RESERVE_OCTETS_ENOUGH:
        text = (
            f"{size_text(config.reserve)} is little space for the service to continue when the disk is full"
        )
        yield Warning("reserve", text)


def _goes_by_a_primary(config: Config, owner: Mailbox) -> bool:
    named = {host.host for backup in config.backups for host in backup.primary}
    primaries = {host for host in named if not is_loopback(host)}  # one machine may play many servers
    return any(
        route.host.host in primaries
        for route in config.routes
        if route.domain in (None, owner.domain) and route.lane in (None, Lane.OWN)
    )


def _tls(config: Config, readable: Callable[[str], bool]) -> Iterator[Warning]:
    if config.tls.acme is None and config.tls.certificate is None:
        yield Warning("tls", "no certificate: other servers hand their mail over unencrypted")
    if config.tls.key is not None and readable(config.tls.key):
        yield Warning("tls.key", f"every user of this machine can read {config.tls.key}")


def _receive(config: Config) -> Iterator[Warning]:
    doors = config.receive.listen
    if all(is_loopback(door.host) for door in doors):
        yield Warning("receive.listen", "only this machine itself can reach the server: meant for tests")
    elif all(door.port != SMTP_PORT for door in doors):
        yield Warning("receive.listen", f"other servers deliver to port {SMTP_PORT}, which is not among them")


def _web(config: Config) -> Iterator[Warning]:
    url = config.web.url
    if url is not None and url.startswith("http:"):
        yield Warning("web.url", f"{url} works on this machine only: meant for tests")
    if (
        config.web.has_https
        and len(config.newsletters) > 0
        and url is not None
        and not _has_certificate(config)
    ):
        text = (
            "there is no certificate, so every https connection is refused: set acme, or certificate and "
            'key, in [tls]; or put a proxy in front, and write listen = ["127.0.0.1:8025"] and '
            'trusted_proxies = ["127.0.0.1"]'
        )
        yield Warning("web.listen", text)
    elif url is not None and url.startswith("https:") and len(config.newsletters) > 0:
        plain = [door for door in config.web.listen if config.web.speech(door) is DoorSpeech.PAGES]
        if any(not is_loopback(door.endpoint.host) for door in plain):
            # A listener on loopback is right behind a proxy, and the proxy is then named.
            text = (
                f"{plain[0]} serves the pages without encryption: only a proxy may reach it; "
                'write "https://" before it to encrypt here'
            )
            yield Warning("web.listen", text)
    if all(is_loopback(door.host) for door in config.web.doors) and len(config.web.trusted_proxies) == 0:
        text = "only this machine can reach the pages; behind a proxy, name it in trusted_proxies"
        yield Warning("web.listen", text)


def _has_certificate(config: Config) -> bool:
    return config.tls.acme is not None or config.tls.certificate is not None


def _metrics(config: Config) -> Iterator[Warning]:
    for door in config.metrics.listen:
        if not is_loopback(door.host):
            text = (
                f"everyone who can connect to {door} can read how much mail comes and goes, unencrypted and "
                "without a password: let a firewall admit only your monitoring"
            )
            yield Warning("metrics.listen", text)


def _watch(config: Config) -> Iterator[Warning]:
    if config.watch.speed > 1:
        text = f"an hour of `watch arrivals` passes in {duration_text(config.watch.hour_ms)}: meant for tests"
        yield Warning("watch.speed", text)


def _reach(
    config: Config, readable: Callable[[str], bool], usable: Callable[[str, str], bool]
) -> Iterator[Warning]:
    for key, path in (
        ("reach.globalping_token_file", config.reach.globalping_token_file),
        ("reach.atlas_key_file", config.reach.atlas_key_file),
    ):
        if path is not None:
            yield from _secret(key, path, config.user, readable, usable)


def _dns_and_deliver(config: Config) -> Iterator[Warning]:
    # A resolver on this machine is good practice; one on another port is for experiments.
    for server in config.dns.servers:
        if server.port != DNS_PORT:
            yield Warning("dns.servers", f"{server} is not on port {DNS_PORT}: meant for tests")
    if config.deliver.probe_ms < Deliver().probe_ms:
        every = duration_text(config.deliver.probe_ms)
        yield Warning(
            "deliver.probe", f"every {every} is a burden for a server that is down: meant for tests"
        )
    if config.deliver.port != SMTP_PORT:
        text = f"other servers take mail on port {SMTP_PORT} only: meant for tests"
        yield Warning("deliver.port", text)


def _fetch_send_and_sign(config: Config) -> Iterator[Warning]:
    if config.fetch.allow_private:
        text = "feeds may lead into the private network of this machine: meant for tests"
        yield Warning("fetch.allow_private", text)
    if len(config.send.only_to) > 0:
        text = "mail goes to these addresses only: meant for a staging copy"
        yield Warning("send.only_to", text)
    if config.send.unverified:
        text = (
            "issues go out without a look at DNS and the link to unsubscribe, and large providers may "
            "refuse them: meant for tests"
        )
        yield Warning("send.unverified", text)


def _backup(key: str, backup: Backup) -> Iterator[Warning]:
    yield from _loopback(f"{key}.primary", backup.primary)
    if AnyRecipient() in backup.recipients:
        text = (
            "every address of the domain is accepted; what the primary then refuses is kept here for you, "
            'and spam with it; "learn" or a list is better'
        )
        yield Warning(f"{key}.recipients", text)
    if any(isinstance(source, RecipientUrl) for source in backup.recipients):
        text = "this version does not fetch lists yet: the primary is asked instead"
        yield Warning(f"{key}.recipients", text, is_idle=True)
    if backup.quota is not None and backup.quota < backup.max_size:
        text = f"less than one message of max_size ({size_text(backup.max_size)})"
        yield Warning(f"{key}.quota", text)


def _loopback(key: str, hosts: tuple[Endpoint, ...]) -> Iterator[Warning]:
    for host in hosts:
        if is_loopback(host.host):
            yield Warning(key, f"{host} is this machine itself: meant for tests")


def _route(
    key: str,
    route: Route,
    config: Config,
    readable: Callable[[str], bool],
    usable: Callable[[str, str], bool],
) -> Iterator[Warning]:
    yield from _loopback(f"{key}.host", (route.host,))
    backup = None if route.domain is None else config.backup_for(route.domain)
    if route.lane is Lane.RELAY and route.domain is not None and backup is None:
        yield Warning(f"{key}.domain", "mail of the lane relay is for [[backup]] domains only")
    if backup is not None and len(backup.primary) > 0 and route.lane in (None, Lane.RELAY):
        yield Warning(f"{key}.host", f"it is used instead of the primary of {route.domain}")
    if route.password_file is not None:
        yield from _secret(f"{key}.password_file", route.password_file, config.user, readable, usable)
        if route.tls in (None, TlsDemand.ENCRYPT) and not is_loopback(route.host.host):
            text = 'the password goes to any server at that address; tls = "verify" checks the server first'
            yield Warning(f"{key}.tls", text)


def _secret(
    key: str, path: str, user: str, readable: Callable[[str], bool], usable: Callable[[str, str], bool]
) -> Iterator[Warning]:
    """Of a file with a secret: others can read it, or the service cannot."""
    if readable(path):
        yield Warning(key, f"every user of this machine can read {path}")
    if not usable(user, path):
        text = f"the service runs as {user}, who cannot read {path}: chgrp {user} and chmod 640 let it"
        yield Warning(key, text)


def _newsletter(key: str, newsletter: Newsletter) -> Iterator[Warning]:
    if newsletter.template is not None:
        text = "this version has only one template: the key has no effect yet"
        yield Warning(f"{key}.template", text, is_idle=True)
    if newsletter.language.lower().partition("-")[0] != OUR_LANGUAGE:
        text = (
            "this version writes its pages and mails in English; they and the articles are only "
            f"marked as {newsletter.language}"
        )
        yield Warning(f"{key}.language", text, is_idle=True)
    if newsletter.undo_ms == 0:
        yield Warning(f"{key}.undo", "an issue is sent at once, and there is no time to stop it")
    if newsletter.settle_ms == 0:
        yield Warning(
            f"{key}.settle", "an article counts as soon as it is seen, even unfinished: meant for tests"
        )
    if newsletter.start is Start.EVERYTHING:
        yield Warning(f"{key}.start", "the first issue contains all articles in the feed: meant for tests")
