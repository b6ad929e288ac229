"""Statements of smtpd.conf since 6.4: actions, matches and the rest (grammar, parse.y of 6.8)."""

from dataclasses import dataclass, field, replace

from secondpost.setup.importing.opensmtpd.both_grammars import listener, pki, setting
from secondpost.setup.importing.opensmtpd.lexer import SmtpdStatement, SmtpdSyntax
from secondpost.setup.importing.opensmtpd.statements import (
    SmtpdAction,
    SmtpdActionStatement,
    SmtpdCondition,
    SmtpdDestination,
    SmtpdFor,
    SmtpdFrom,
    SmtpdIdle,
    SmtpdLocal,
    SmtpdRelay,
    SmtpdRule,
    SmtpdSaid,
    SmtpdSource,
    SmtpdTableStatement,
)
from secondpost.setup.importing.opensmtpd.words import Declared, SmtpdWords

# Statements that are taken over as they are, or not at all: their words up to the value.
SETTINGS = (
    ("smtp", "max-message-size"),
    ("smtp", "sub-addr-delim"),
    ("smtp", "limit"),
    ("smtp", "ciphers"),
    ("queue", "ttl"),
    ("queue", "compression"),
    ("queue", "encryption"),
    ("bounce", "warn-interval"),
    ("mta", "limit"),
    ("mta", "max-deferred"),
    ("mda", "limit"),
    ("mda", "wrapper"),
    ("scheduler", "limit"),
    ("srs", "key"),
    ("srs", "ttl"),
    ("admd",),
    ("proc",),
    ("filter",),
    ("ca",),
)
LOCAL_METHODS = ("maildir", "mbox", "lmtp", "mda", "expand-only", "forward-only")


@dataclass(slots=True)
class NewGrammar:
    declared: Declared
    actions: dict[str, SmtpdActionStatement] = field(default_factory=dict)

    def said(self, statement: SmtpdStatement) -> SmtpdSaid:
        """Raises SmtpdSyntax."""
        words = SmtpdWords(statement, self.declared)
        said = SmtpdIdle(statement) if statement.is_macro else self._said(words)
        if not isinstance(said, SmtpdIdle):
            words.end()
        return said

    def _said(self, words: SmtpdWords) -> SmtpdSaid:
        statement = words.statement
        match statement.keyword:
            case "include":
                return SmtpdIdle(statement)
            case "table":
                words.need("table")
                return SmtpdTableStatement(statement, words.declared_table())
            case "listen":
                return listener(words)
            case "pki":
                return pki(words, "cert")
            case "action":
                return self._action(words)
            case "match":
                return self._match(words)
            case _:
                return setting(words, SETTINGS)

    def _action(self, words: SmtpdWords) -> SmtpdActionStatement:
        words.need("action")
        name = words.string()
        method = words.need("relay", *LOCAL_METHODS)
        action = relay_options(words) if method == "relay" else _local(words, method)
        said = SmtpdActionStatement(words.statement, name, action)
        self.actions[name] = said
        return said

    def _match(self, words: SmtpdWords) -> SmtpdRule:
        words.need("match")
        rule = SmtpdRule(words.statement, SmtpdSource(), SmtpdDestination(), None)
        while words.take("reject") is None:
            if words.take("action") is not None:
                name = words.string()
                if name not in self.actions:
                    raise SmtpdSyntax(f"there is no action {name} above")
                said = self.actions[name]
                return replace(rule, action=said.action, action_statement=said.statement)
            rule = _option(rule, words)
        return rule


def _option(rule: SmtpdRule, words: SmtpdWords) -> SmtpdRule:
    """One condition of a match (match_option)."""
    is_not = words.take("!") is not None
    match words.need("from", "for", "tag", "helo", "tls", "auth", "mail-from", "rcpt-to"):
        case "from":
            return _from(rule, words, is_not)
        case "for":
            return _for(rule, words, is_not)
        case "tag":
            return replace(rule, tag=words.condition(is_not=is_not))
        case "helo":
            return replace(rule, helo=words.condition(is_not=is_not))
        case "tls":
            return replace(rule, tls=SmtpdCondition(None, is_not))
        case "auth":
            return replace(rule, login=_login(words, is_not))
        case "mail-from":
            return replace(rule, sender=words.condition(is_not=is_not))
        case _:
            return replace(rule, recipient=words.condition(is_not=is_not))


NEXT_OPTIONS = ("!", "from", "for", "tag", "helo", "tls", "auth", "mail-from", "rcpt-to", "action", "reject")


def _login(words: SmtpdWords, is_not: bool) -> SmtpdCondition:
    tokens, at = words.statement.tokens, words.at
    if at >= len(tokens) or tokens[at].text in NEXT_OPTIONS:
        return SmtpdCondition(None, is_not)
    return words.condition(is_not=is_not)


def _from(rule: SmtpdRule, words: SmtpdWords, is_not: bool) -> SmtpdRule:
    match words.need("any", "local", "socket", "src", "rdns", "auth", "mail-from"):
        case "auth":
            return replace(rule, source=SmtpdSource(SmtpdFrom.ANY, is_said=True), login=_login(words, is_not))
        case "mail-from":
            source = SmtpdSource(SmtpdFrom.ANY, is_said=True)
            return replace(rule, source=source, sender=words.condition(is_not=is_not))
        case "src":
            return replace(
                rule, source=SmtpdSource(SmtpdFrom.ADDRESSES, words.condition(is_not=is_not), True)
            )
        case "rdns":
            return replace(rule, source=SmtpdSource(SmtpdFrom.NAMES, _login(words, is_not), True))
        case kind:
            return replace(rule, source=SmtpdSource(SmtpdFrom(kind), SmtpdCondition(None, is_not), True))


def _for(rule: SmtpdRule, words: SmtpdWords, is_not: bool) -> SmtpdRule:
    match words.need("any", "local", "domain", "rcpt-to"):
        case "domain":
            condition = words.condition(is_not=is_not)
            return replace(rule, destination=SmtpdDestination(SmtpdFor.DOMAINS, condition, True))
        case "rcpt-to":
            destination = SmtpdDestination(SmtpdFor.ANY, is_said=True)
            return replace(rule, destination=destination, recipient=words.condition(is_not=is_not))
        case kind:
            condition = SmtpdCondition(None, is_not)
            return replace(rule, destination=SmtpdDestination(SmtpdFor(kind), condition, True))


def relay_options(words: SmtpdWords) -> SmtpdRelay:
    """The options behind `relay` (dispatcher_remote_option)."""
    relay = SmtpdRelay()
    while not words.is_over:
        match words.need(
            "host", "domain", "backup", "auth", "tls", "src", "helo", "helo-src", "mail-from", "pki", "ca",
            "ttl", "srs", "filter", "ciphers", "protocols",
        ):  # fmt: skip
            case "host":
                relay = replace(relay, host=words.table())
            case "domain":
                relay = replace(relay, by_domain=words.table())
            case "backup":
                name = words.string() if words.take("mx") is not None else None
                relay = replace(relay, is_backup=True, backup_name=name)
            case "auth":
                relay = replace(relay, auth=words.table())
            case "tls":
                relay = replace(relay, tls=words.take("no-verify") or "")
            case "src":
                relay = replace(relay, source=words.table())
            case "helo":
                relay = replace(relay, helo=words.string())
            case "helo-src":
                relay = replace(relay, helo_names=words.table())
            case "mail-from":
                relay = replace(relay, mail_from=words.string())
            case "pki":
                relay = replace(relay, pki=words.string())
            case "ca":
                relay = replace(relay, ca=words.string())
            case "ttl":
                relay = replace(relay, ttl=words.string())
            case "srs":
                relay = replace(relay, extras=(*relay.extras, "srs"))
            case word:
                value = words.table().written if word == "filter" else words.string()
                relay = replace(relay, extras=(*relay.extras, f"{word} {value}"))
    return relay


def _local(words: SmtpdWords, method: str) -> SmtpdAction:
    """The options behind a method of local delivery (dispatcher_local_option)."""
    parts = [method]
    if method in ("lmtp", "mda") or (method == "maildir" and _has_argument(words)):
        parts.append(words.string())
    if method in ("maildir", "lmtp"):
        more = words.take("junk", "rcpt-to")
        parts += [] if more is None else [more]
    local = SmtpdLocal(tuple(parts))
    while not words.is_over:
        match words.need("alias", "virtual", "userbase", "user", "wrapper", "ttl"):
            case "alias":
                local = replace(local, alias=words.table())
            case "virtual":
                local = replace(local, virtual=words.table())
            case "userbase":
                local = replace(local, userbase=words.table())
            case "user":
                local = replace(local, user=words.string())
            case "wrapper":
                local = replace(local, wrapper=words.string())
            case _:
                local = replace(local, ttl=words.string())
    return local


def _has_argument(words: SmtpdWords) -> bool:
    tokens, at = words.statement.tokens, words.at
    options = ("junk", "alias", "virtual", "userbase", "user", "wrapper", "ttl")
    return words.is_string_next() and tokens[at].text not in options
