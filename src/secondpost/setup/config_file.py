"""The text of the configuration that `secondpost init` writes: what was answered, and a few hints. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from secondpost.config.versions import VERSION
from secondpost.setup.answers import (
    ANY_DOMAIN,
    RELAY,
    Answers,
    BackupAnswer,
    Entries,
    Entry,
    NewsletterAnswer,
    SmartHostAnswer,
    toml_text,
)

# Both columns are fixed, so that one changed value changes one line.
COMMENT_COLUMN = 36
KEY_CHARACTERS = {"": 9, "[tls]": 11, "[[backup]]": 10, "[[route]]": 13, "[[newsletter]]": 12}


@dataclass(frozen=True, slots=True)
class _FileLine:
    """A key with its value, explained; or, with `is_hint`, one that is only proposed."""

    key: str
    value: object
    comment: str = ""
    is_hint: bool = False


def config_text(answers: Answers) -> str:
    """The whole file. `check config` finds no fault in it if it finds none in the answers."""
    blocks = [
        "# Secondpost. docs/settings.md explains every key; `secondpost check config` checks this file.",
        _block("", _top(answers), answers.more),
        *_settings(answers),
        *_routes(answers.smart_host),
    ]
    blocks += [_backup(backup, is_first=place == 0) for place, backup in enumerate(answers.backups)]
    if answers.newsletter is not None:
        blocks.append(_newsletter(answers.newsletter))
    written = {header for header, _ in _tables(answers)}
    blocks += [_block(one.header, (), one.entries) for one in answers.others if one.header not in written]
    return "\n".join(blocks)


def _top(answers: Answers) -> Iterator[_FileLine]:
    yield _FileLine("version", VERSION)
    yield _FileLine("hostname", answers.hostname, "this server's own name, as the world sees it")
    yield _FileLine("store", answers.store, "where mail, keys and sockets are kept")
    yield _FileLine("owner", answers.owner, "who gets postmaster's mail, and hears of alarms")
    if len(answers.addresses) > 0:
        yield _FileLine("addresses", answers.addresses, "public addresses that lead here through NAT")


def _settings(answers: Answers) -> Iterator[str]:
    """The tables that have values, with what an earlier file had in them besides."""
    for header, lines in _tables(answers):
        more = [entry for other in answers.others if other.header == header for entry in other.entries]
        yield _block(header, lines, more)


def _tables(answers: Answers) -> Iterator[tuple[str, Sequence[_FileLine]]]:
    for header, lines in (
        ("[receive]", _receive(answers)),
        ("[web]", _web(answers)),
        ("[tls]", _tls(answers)),
        ("[dns]", _dns(answers)),
    ):
        taken = list(lines)
        if len(taken) > 0:
            yield header, taken


def _receive(answers: Answers) -> Iterator[_FileLine]:
    if len(answers.listen) > 0:
        yield _FileLine("listen", answers.listen, "where mail is accepted")


def _web(answers: Answers) -> Iterator[_FileLine]:
    if answers.pages is not None:
        about = "no pages: readers confirm and leave by mail" if answers.pages == "none" else ""
        yield _FileLine("url", answers.pages, about)
    if len(answers.pages_listen) > 0:
        yield _FileLine("listen", answers.pages_listen, "where the web server in front finds the pages")
    if len(answers.proxies) > 0:
        yield _FileLine("trusted_proxies", answers.proxies)


def _tls(answers: Answers) -> Iterator[_FileLine]:
    if answers.acme is not None:
        yield _FileLine("acme", answers.acme, "certificates are got and renewed by themselves")
    if answers.certificate is not None:
        yield _FileLine("certificate", answers.certificate)
    if answers.key is not None:
        yield _FileLine("key", answers.key)
    if answers.certificate is None and answers.key is None and answers.acme is None:
        hint = "encrypts mail that comes in"
        yield _FileLine("certificate", f"/etc/letsencrypt/live/{answers.hostname}/fullchain.pem", hint, True)
        yield _FileLine("key", f"/etc/letsencrypt/live/{answers.hostname}/privkey.pem", "", True)


def _dns(answers: Answers) -> Iterator[_FileLine]:
    if len(answers.dns_servers) > 0:
        yield _FileLine("servers", answers.dns_servers)


def _routes(smart_host: SmartHostAnswer | None) -> Iterator[str]:
    """The smart host; a `*` route takes mail for backup domains only if it names that lane."""
    if smart_host is None:
        return
    yield _block("[[route]]", _smart_host(smart_host, None), smart_host.more)
    if smart_host.relays:
        yield _block("[[route]]", _smart_host(smart_host, RELAY), smart_host.more)


def _smart_host(smart_host: SmartHostAnswer, lane: str | None) -> Iterator[_FileLine]:
    yield _FileLine("domain", ANY_DOMAIN)
    if lane is not None:
        yield _FileLine("lane", lane, "mail held for the domains below takes this way too")
    yield _FileLine(
        "host", smart_host.host, "" if lane is not None else "the smart host, for readers' mail and our own"
    )
    if smart_host.username is not None:
        yield _FileLine("username", smart_host.username)
    if smart_host.password_file is not None:
        yield _FileLine("password_file", smart_host.password_file)


def _backup(backup: BackupAnswer, *, is_first: bool) -> str:
    more = {entry.key for entry in backup.more}
    lines = [_FileLine("domain", backup.domain)]
    if len(backup.primary) > 0:
        lines.append(_FileLine("primary", backup.primary))
    lines.append(_FileLine("recipients", backup.recipients))
    if is_first and "keep" not in more:
        lines.append(_FileLine("keep", "31 days", "how long mail waits for the primary, up to a year", True))
    return _block("[[backup]]", lines, backup.more)


def _newsletter(newsletter: NewsletterAnswer) -> str:
    more = {entry.key for entry in newsletter.more}
    lines = [
        _FileLine("name", newsletter.name, "part of its web address"),
        _FileLine("from", newsletter.sender),
        _FileLine("feeds", newsletter.feeds),
        _FileLine("every", newsletter.every),
        _FileLine("timezone", newsletter.timezone),
    ]
    if "min_articles" not in more:
        lines.append(_FileLine("min_articles", 2, "with fewer new articles no issue is sent", True))
    if "approve" not in more:
        lines.append(_FileLine("approve", True, "each issue waits for your yes", True))
    return _block("[[newsletter]]", lines, newsletter.more)


def _block(
    header: str, lines: Iterator[_FileLine] | Sequence[_FileLine], more: Entries | Sequence[Entry]
) -> str:
    """A table as text, its values in one column and its comments in another, where they fit."""
    shown = [
        *((line.is_hint, line.key, toml_text(line.value), line.comment) for line in lines),
        *((False, entry.key, entry.value, "") for entry in more),
    ]
    width = KEY_CHARACTERS.get(header) or max(len(key) for _, key, _, _ in shown)
    rows = []
    for is_hint, key, value, comment in shown:
        text = f"{'# ' * is_hint}{key:<{width}} = {value}"
        rows.append(f"{text:<{COMMENT_COLUMN}}  # {comment}" if len(comment) > 0 else text)
    return "\n".join([*([header] if len(header) > 0 else []), *rows]) + "\n"
