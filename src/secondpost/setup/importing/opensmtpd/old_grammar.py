"""Statements of smtpd.conf before 6.4: accept and reject (grammar, parse.y of 5.4 to 6.3).

They become rules and actions as in today's format; but `from local` means clients that have logged in
too (ruleset_check_source in ruleset.c of 6.0).
"""

from dataclasses import dataclass, replace

from secondpost.setup.importing.opensmtpd.both_grammars import listener, pki, setting
from secondpost.setup.importing.opensmtpd.lexer import SmtpdStatement, SmtpdSyntax
from secondpost.setup.importing.opensmtpd.statements import (
    SmtpdAction,
    SmtpdCondition,
    SmtpdDestination,
    SmtpdFor,
    SmtpdFrom,
    SmtpdIdle,
    SmtpdLocal,
    SmtpdRelay,
    SmtpdRule,
    SmtpdSaid,
    SmtpdSetting,
    SmtpdSource,
    SmtpdTableStatement,
)
from secondpost.setup.importing.opensmtpd.words import Declared, SmtpdWords

# The words of a setting, and its name in today's format; None: it has none there.
NEW_NAMES: dict[tuple[str, ...], str | None] = {
    ("max-message-size",): "smtp max-message-size",
    ("subaddressing-delimiter",): "smtp sub-addr-delim",
    ("expire",): "queue ttl",
    ("bounce-warn",): "bounce warn-interval",
    ("queue", "compression"): "queue compression",
    ("queue", "encryption"): "queue encryption",
    ("limit", "mta"): "mta limit",
    ("limit", "mda"): "mda limit",
    ("limit", "session"): "smtp limit",
    ("limit", "scheduler"): "scheduler limit",
    ("limit", "smtp"): "smtp limit",
    ("max-mta-deferred",): "mta max-deferred",
    ("ciphers",): "smtp ciphers",
    ("tls-ciphers",): "smtp ciphers",
    ("curve",): None,
    ("enqueuer",): None,
    ("filter",): None,
    ("ca",): "ca",
}


@dataclass(slots=True)
class OldGrammar:
    declared: Declared

    def said(self, statement: SmtpdStatement) -> SmtpdSaid:
        """Raises SmtpdSyntax."""
        words = SmtpdWords(statement, self.declared)
        if statement.is_macro or statement.keyword == "include":
            return SmtpdIdle(statement)
        said = self._said(words)
        words.end()
        return said

    def _said(self, words: SmtpdWords) -> SmtpdSaid:
        statement = words.statement
        match statement.keyword:
            case "table":
                words.need("table")
                return SmtpdTableStatement(statement, words.declared_table())
            case "listen":
                return listener(words)
            case "pki":
                return pki(words, "certificate")
            case "accept" | "reject":
                return _rule(words)
            case _:
                said = setting(words, tuple(NEW_NAMES))
                return SmtpdSetting(
                    statement, NEW_NAMES[tuple(said.name.split(" "))] or said.name, said.value
                )


def _rule(words: SmtpdWords) -> SmtpdRule:
    accepts = words.need("accept", "reject") == "accept"
    rule = SmtpdRule(words.statement, SmtpdSource(), SmtpdDestination(), None)
    while (word := words.take("from", "for", "sender", "recipient", "tagged")) is not None:
        rule = _condition(rule, word, words)
    return replace(rule, action=_action(words)) if accepts else rule


def _condition(rule: SmtpdRule, word: str, words: SmtpdWords) -> SmtpdRule:
    """One condition of a rule (opt_decision)."""
    is_not = words.take("!") is not None
    match word:
        case "from":
            kind = words.need("any", "local", "source")
            if kind == "source":
                return replace(
                    rule, source=SmtpdSource(SmtpdFrom.ADDRESSES, words.condition(is_not=is_not), True)
                )
            return replace(rule, source=SmtpdSource(SmtpdFrom(kind), SmtpdCondition(None, is_not), True))
        case "for":
            kind = words.need("any", "local", "domain")
            if kind == "domain":
                condition = words.condition(is_not=is_not)
                return replace(rule, destination=SmtpdDestination(SmtpdFor.DOMAINS, condition, True))
            condition = SmtpdCondition(None, is_not)
            return replace(rule, destination=SmtpdDestination(SmtpdFor(kind), condition, True))
        case "sender":
            return replace(rule, sender=words.condition(is_not=is_not))
        case "recipient":
            return replace(rule, recipient=words.condition(is_not=is_not))
        case _:
            return replace(rule, tag=SmtpdCondition(words.table(), is_not))


def _action(words: SmtpdWords) -> SmtpdAction:
    """Lookups, then the method, then what applies to both (lookup, action, accept_params)."""
    local = SmtpdLocal(("mbox",))  # without a method, aliases alone decide
    while (word := words.take("alias", "virtual", "userbase")) is not None:
        table = words.table()
        if word == "alias":
            local = replace(local, alias=table)
        elif word == "virtual":
            local = replace(local, virtual=table)
        else:
            local = replace(local, userbase=table)
    if words.take("relay") is not None:
        relay = _relay(words)
        return replace(relay, ttl=_params(words)[0])
    if words.take("deliver") is not None:
        words.need("to")
        local = _delivery(words, local)
        return replace(local, ttl=_params(words)[0])
    ttl, forwards = _params(words)
    method = "forward-only" if forwards else "expand-only"
    return replace(local, method=(method,), ttl=ttl)


def _params(words: SmtpdWords) -> tuple[str | None, bool]:
    """`expire`, and whether there is `forward-only`."""
    ttl, forwards = None, False
    while (word := words.take("expire", "forward-only")) is not None:
        if word == "expire":
            ttl = words.string()
        else:
            forwards = True
    return ttl, forwards


def _delivery(words: SmtpdWords, local: SmtpdLocal) -> SmtpdLocal:
    method = words.need("maildir", "mbox", "lmtp", "mda")
    parts = [method]
    if method in ("lmtp", "mda") or (method == "maildir" and _has_path(words)):
        parts.append(words.string())
    if method == "lmtp" and words.take("rcpt-to") is not None:
        parts.append("rcpt-to")
    user = words.string() if words.take("as") is not None else None
    return replace(local, method=tuple(parts), user=user)


def _has_path(words: SmtpdWords) -> bool:
    tokens, at = words.statement.tokens, words.at
    return words.is_string_next() and tokens[at].text not in ("expire", "forward-only", "as")


def _relay(words: SmtpdWords) -> SmtpdRelay:
    relay = SmtpdRelay()
    if words.take("via") is not None:
        relay = replace(relay, host=words.table())
    options = (
        "backup",
        "tls",
        "verify",
        "auth",
        "as",
        "source",
        "hostname",
        "hostnames",
        "pki",
        "ca",
        "filter",
    )
    while (word := words.take(*options)) is not None:
        relay = _relay_option(relay, word, words)
    return relay


def _relay_option(relay: SmtpdRelay, word: str, words: SmtpdWords) -> SmtpdRelay:
    match word:
        case "backup":
            has_name = words.is_string_next() and words.statement.tokens[words.at].text not in _AFTER_BACKUP
            return replace(relay, is_backup=True, backup_name=words.string() if has_name else None)
        case "tls":
            return replace(relay, tls=words.take("verify") or "")
        case "verify":
            return replace(relay, tls="verify")
        case "auth":
            return replace(relay, auth=words.table())
        case "as":
            return replace(relay, mail_from=words.string())
        case "source":
            return replace(relay, source=words.table())
        case "hostname":
            return replace(relay, helo=words.string())
        case "hostnames":
            return replace(relay, helo_names=words.table())
        case "pki":
            return replace(relay, pki=words.string())
        case "ca":
            return replace(relay, ca=words.string())
        case "filter":
            return replace(relay, extras=(*relay.extras, f"filter {words.string()}"))
        case _:
            raise SmtpdSyntax(f'"{word}" is not an option of relay that is known here')


_AFTER_BACKUP = frozenset({"tls", "as", "source", "hostname", "hostnames", "pki", "ca", "expire", "auth"})
