"""Statements that are alike in both formats of smtpd.conf: listeners, certificates and settings."""

from dataclasses import replace

from secondpost.setup.importing.opensmtpd.lexer import SmtpdSyntax
from secondpost.setup.importing.opensmtpd.statements import SmtpdListener, SmtpdPki, SmtpdSetting
from secondpost.setup.importing.opensmtpd.words import SmtpdWords


def listener(words: SmtpdWords) -> SmtpdListener:
    """`listen on`, of both formats; an option that names a table ends with it (opt_if_listen)."""
    words.need("listen")
    words.need("on")
    interface = words.string()
    made = SmtpdListener(words.statement, None if interface == "socket" else interface)
    while not words.is_over:
        word = words.string()
        match word:
            case "inet4" | "inet6":
                made = replace(made, family=word)
            case "port":
                made = replace(made, port=words.string())
            case "tls" | "tls-require" | "smtps" | "secure":
                made = replace(made, tls=word)
                if words.take("verify") is not None:
                    made = replace(made, extras=(*made.extras, "verify"))
            case "auth" | "auth-optional":
                table = words.table().written if words.is_table_next() else ""
                made = replace(made, auth=word, extras=(*made.extras, f"{word} {table}".strip()))
            case "tag":
                made = replace(made, tag=words.string())
            case "pki":
                name = words.string()
                made = replace(made, pki=name if made.pki is None else made.pki)
            case "hostname":
                made = replace(made, hostname=words.string())
            case "filter" | "ca" | "ciphers" | "protocols":
                value = words.table().written
                made = replace(made, extras=(*made.extras, f"{word} {value}"))
            case "hostnames" | "senders":
                value = words.table().written
                more = " masquerade" if words.take("masquerade") is not None else ""
                made = replace(made, extras=(*made.extras, f"{word} {value}{more}"))
            case (
                "mask-src"
                | "mask-source"
                | "no-dsn"
                | "proxy-v2"
                | "received-auth"
                | "dsn-notify"
                | "dsn-ret"
            ):
                argument = words.take("disable", "headers") or ""
                made = replace(made, extras=(*made.extras, f"{word} {argument}".strip()))
            case _:
                raise SmtpdSyntax(f'"{word}" is not an option of listen that is known here')
    return made


def pki(words: SmtpdWords, certificate: str) -> SmtpdPki:
    """`certificate`: the keyword before the path of the certificate."""
    words.need("pki")
    made = SmtpdPki(words.statement, words.string())
    while not words.is_over:
        word = words.need(certificate, "key", "dhe", "dhparams")
        value = words.string()
        if word == certificate:
            made = replace(made, certificate=value)
        elif word == "key":
            made = replace(made, key=value)
    return made


def setting(words: SmtpdWords, settings: tuple[tuple[str, ...], ...]) -> SmtpdSetting:
    """One of the settings, with all that follows as its value."""
    for keywords in settings:
        begin = words.at
        if all(words.take(keyword) is not None for keyword in keywords):
            tokens = words.statement.tokens[words.at :]
            value = tokens[0].text if len(tokens) == 1 else words.rest()
            words.at = len(words.statement.tokens)
            return SmtpdSetting(words.statement, " ".join(keywords), value)
        words.at = begin
    raise SmtpdSyntax(f'"{words.statement.keyword}" begins no statement that is known here')
