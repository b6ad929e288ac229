"""Rules and actions of OpenSMTPD before 6.4 as text of today's smtpd.conf.

In `from`, a client that had logged in had the address `local`, whatever its own (ruleset_check_source
in ruleset.c of 6.0); today it has its own, and `auth` or `!auth` is said apart.
"""

from collections.abc import Iterator

from secondpost.setup.importing.opensmtpd.statements import (
    SmtpdAction,
    SmtpdFor,
    SmtpdFrom,
    SmtpdLocal,
    SmtpdRelay,
    SmtpdRule,
)
from secondpost.setup.importing.opensmtpd.targets import RelayTls, relay_url
from secondpost.setup.importing.opensmtpd.words import quoted_string, string_text

# What a relay URL said before, and how that is said today.
PROTOCOLS = {
    RelayTls.OPPORTUNISTIC: "smtp",
    RelayTls.STARTTLS: "smtp+tls",
    RelayTls.FROM_START: "smtps",
    RelayTls.NONE: "smtp+notls",
    RelayTls.LMTP: "lmtp",
    RelayTls.EITHER: "smtps",
}
DEMANDED = (RelayTls.STARTTLS, RelayTls.FROM_START, RelayTls.EITHER)


def action_text(action: SmtpdAction, ttl: str | None) -> str:
    """What follows the name of an action. `ttl`: if it is not the usual one of the new file."""
    words = list(_relay(action) if isinstance(action, SmtpdRelay) else _local(action))
    if ttl is not None:
        words.append(f"ttl {string_text(ttl)}")
    return " ".join(words)


def action_word(action: SmtpdAction) -> str:
    """The beginning of a name for it."""
    if isinstance(action, SmtpdRelay):
        return "backup" if action.is_backup else "relay"
    return action.method[0].partition("-")[0]


def match_texts(rule: SmtpdRule, decision: str, *, has_logins: bool) -> Iterator[str]:
    """One match, or two. `decision`: the words at its end; `has_logins`: a listener lets clients log in."""
    conditions = [*_tag(rule), *_rest(rule), decision]
    if rule.source.kind is SmtpdFrom.ANY or not has_logins:
        yield " ".join(["match", _from(rule), *conditions])
    elif takes_logins(rule):
        yield " ".join(["match", _from(rule), *conditions])
        yield " ".join(["match auth from any", *conditions])
    else:
        yield " ".join(["match", _from(rule), "!auth", *conditions])


def takes_logins(rule: SmtpdRule) -> bool:
    """Whether the source of an old rule is that of clients that have logged in."""
    condition = rule.source.condition
    match rule.source.kind:
        case SmtpdFrom.ADDRESSES:
            table = condition.table
            names_local = table is not None and any(one.key == "local" for one in table.entries)
        case _:
            names_local = True
    return names_local != condition.is_not


def _from(rule: SmtpdRule) -> str:
    condition = rule.source.condition
    no = "!" if condition.is_not else ""
    if rule.source.kind is SmtpdFrom.ADDRESSES and condition.table is not None:
        return f"{no}from src {condition.table.written}"
    return f"{no}from {rule.source.kind.value}"


def _tag(rule: SmtpdRule) -> Iterator[str]:
    if rule.tag is not None and rule.tag.table is not None:
        yield f"{'!' if rule.tag.is_not else ''}tag {rule.tag.table.written}"


def _rest(rule: SmtpdRule) -> Iterator[str]:
    if rule.sender is not None and rule.sender.table is not None:
        yield f"{'!' if rule.sender.is_not else ''}mail-from {rule.sender.table.written}"
    condition = rule.destination.condition
    no = "!" if condition.is_not else ""
    if rule.destination.kind is SmtpdFor.DOMAINS and condition.table is not None:
        yield f"{no}for domain {condition.table.written}"
    else:
        yield f"{no}for {rule.destination.kind.value}"
    if rule.recipient is not None and rule.recipient.table is not None:
        yield f"{'!' if rule.recipient.is_not else ''}rcpt-to {rule.recipient.table.written}"


def _relay(relay: SmtpdRelay) -> Iterator[str]:
    yield "relay"
    demands = relay.tls is not None
    if relay.host is not None:
        yield f"host {quoted_string(_url(relay.host.entries[0].key))}"
        url = relay_url(relay.host.entries[0].key, is_old=True)
        demands = demands or (url is not None and url.tls in DEMANDED)
    if relay.is_backup:
        yield "backup" if relay.backup_name is None else f"backup mx {string_text(relay.backup_name)}"
    if demands:  # certificates were not checked unless `verify` said so; today they are
        yield "tls" if relay.tls == "verify" else "tls no-verify"
    if relay.auth is not None:
        yield f"auth {relay.auth.written}"
    if relay.source is not None:
        yield f"src {relay.source.written}"
    if relay.helo is not None:
        yield f"helo {string_text(relay.helo)}"
    if relay.helo_names is not None:
        yield f"helo-src {relay.helo_names.written}"
    if relay.mail_from is not None:
        yield f"mail-from {quoted_string(relay.mail_from)}"
    if relay.pki is not None:
        yield f"pki {string_text(relay.pki)}"
    if relay.ca is not None:
        yield f"ca {string_text(relay.ca)}"


def _url(text: str) -> str:
    """A relay URL of today; one that cannot be read stays as it is."""
    url = relay_url(text, is_old=True)
    if url is None:
        return text
    label = "" if url.label is None else f"{url.label}@"
    port = "" if url.port is None else f":{url.port}"
    return f"{PROTOCOLS[url.tls]}://{label}{url.host}{port}"


def _local(local: SmtpdLocal) -> Iterator[str]:
    method, *arguments = local.method
    yield method
    for argument in arguments:
        yield argument if argument in ("rcpt-to", "junk") else quoted_string(argument)
    for word, table in (("alias", local.alias), ("virtual", local.virtual), ("userbase", local.userbase)):
        if table is not None:
            yield f"{word} {table.written}"
    if local.user is not None:
        yield f"user {string_text(local.user)}"
