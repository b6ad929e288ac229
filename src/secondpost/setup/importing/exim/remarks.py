"""What the report says of options, routers, transports and rules that have no counterpart here. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from secondpost.setup.importing.carried import Fate, OldPlace, ReportLine
from secondpost.setup.importing.exim.statements import Configuration, Driver

TEXT_CHARACTERS_MAX: Final = 240

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# What may stand in a report: an authenticator's other options, and any of these, hold passwords.
_SHOWN_OF_AUTHENTICATOR: Final = ("driver", "public_name")
_SECRET = re.compile(r"pass|secret|key\b|_servers|credential|token", re.IGNORECASE)
_NO_LOCAL: Final = "Nothing is delivered into mailboxes here."

OPTIONS: Final[Mapping[str, tuple[Fate, str]]] = {
    "acl_smtp_rcpt": (Fate.CHANGED, "What its ACL does with strangers is taken over; see its statements."),
    "acl_smtp_mail": (Fate.CHANGED, "What its ACL does with strangers is taken over; see its statements."),
    "acl_smtp_connect": (Fate.CHANGED, "What its ACL does with strangers is taken over; see its statements."),
    "acl_smtp_helo": (Fate.CHANGED, "What its ACL does with strangers is taken over; see its statements."),
    "acl_smtp_data": (Fate.NOT_CARRIED, "Contents are not examined here: the primary does that."),
    "acl_smtp_mime": (Fate.NOT_CARRIED, "Contents are not examined here: the primary does that."),
    "acl_smtp_dkim": (Fate.NOT_CARRIED, "DKIM is evaluated and recorded: authenticate in [[backup]]."),
    "smtp_enforce_sync": (Fate.CHANGED, "A client that does not wait for its answers is never trusted here."),
    "received_headers_max": (Fate.CHANGED, "This server has its own limit against loops."),
    "ignore_bounce_errors_after": (Fate.CHANGED, "A bounce waits as long as other mail: keep in [[backup]]."),
    "timeout_frozen_after": (Fate.CHANGED, "No mail is frozen or thrown away: keep in [[backup]]."),
    "qualify_domain": (Fate.NOT_CARRIED, "An address without a domain is refused, but for postmaster."),
    "qualify_recipient": (Fate.NOT_CARRIED, "An address without a domain is refused, but for postmaster."),
    "sender_unqualified_hosts": (Fate.NOT_CARRIED, "An address without a domain is refused here."),
    "recipient_unqualified_hosts": (Fate.NOT_CARRIED, "An address without a domain is refused here."),
    "host_lookup": (Fate.NOT_CARRIED, "The names of clients are not looked up while they wait."),
    "rfc1413_hosts": (Fate.CARRIED, "Clients are never asked who their user is."),
    "rfc1413_query_timeout": (Fate.CARRIED, "Clients are never asked who their user is."),
    "dns_dnssec_ok": (Fate.CARRIED, "DNSSEC is always asked for."),
    "allow_domain_literals": (Fate.NOT_CARRIED, "Mail for an address in brackets is not accepted."),
    "prdr_enable": (Fate.NOT_CARRIED, "Each recipient's answer is given when it is named."),
    "tls_advertise_hosts": (Fate.CHANGED, "Once there is a certificate, encryption is offered to everyone."),
    "tls_on_connect_ports": (Fate.NOT_CARRIED, "This server takes no mail from people who submit it."),
    "smtp_banner": (Fate.NOT_CARRIED, "The greeting is the server's name."),
    "chunking_advertise_hosts": (Fate.NOT_CARRIED, "Which extensions are offered is not a setting here."),
    "smtputf8_advertise_hosts": (Fate.CHANGED, "SMTPUTF8 is offered here."),
    "spool_directory": (Fate.NOT_CARRIED, "Mail that waits in it stays there: let Exim deliver it first."),
    "split_spool_directory": (Fate.NOT_CARRIED, "The store arranges itself."),
    "queue_only": (Fate.NOT_CARRIED, "Mail is passed on at once when its primary answers."),
    "log_selector": (Fate.NOT_CARRIED, "The log has its own form."),
    "log_file_path": (Fate.NOT_CARRIED, "The log goes to the journal."),
    **dict.fromkeys(
        ("local_from_check", "local_sender_retain", "untrusted_set_sender", "trusted_users"),
        (Fate.NOT_CARRIED, "No program of this machine hands in mail here."),
    ),
    **dict.fromkeys(
        ("exim_path", "keep_environment", "add_environment", "exim_user", "exim_group", "freeze_tell"),
        (Fate.NOT_CARRIED, "It is about how Exim runs, and means nothing to this server."),
    ),
    **dict.fromkeys(
        ("helo_verify_hosts", "helo_try_verify_hosts", "helo_accept_junk_hosts", "helo_allow_chars"),
        (Fate.NOT_CARRIED, "No client is refused for the name that it gives."),
    ),
    "host_reject_connection": (Fate.NOT_CARRIED, "Clients are not refused by a list of addresses or names."),
    "never_users": (Fate.NOT_CARRIED, _NO_LOCAL),
    "gecos_pattern": (Fate.NOT_CARRIED, _NO_LOCAL),
    "gecos_name": (Fate.NOT_CARRIED, _NO_LOCAL),
    "spamd_address": (Fate.NOT_CARRIED, "Contents are not examined here: the primary does that."),
    "av_scanner": (Fate.NOT_CARRIED, "Contents are not examined here: the primary does that."),
    "smtp_accept_reserve": (Fate.NOT_CARRIED, "Primaries and known senders have connections kept for them."),
    "smtp_accept_queue": (Fate.NOT_CARRIED, "Mail is always stored before it is answered."),
}  # fmt: skip

# Options of a router that change a message on its way, or its bounces.
OF_MESSAGE: Final = ("errors_to", "headers_add", "headers_remove", "fallback_hosts")

TRANSPORTS: Final[Mapping[str, str]] = {
    "appendfile": _NO_LOCAL,
    "pipe": "No programs are run here.",
    "lmtp": _NO_LOCAL,
    "autoreply": "No answers are sent to senders here.",
}


def shown(text: str) -> str:
    """A statement on one line, without control characters, cut if it is long; a secret is not shown."""
    one = " ".join(_CONTROL.sub(" ", text).split())
    name, equals, value = one.partition("=")
    if len(equals) > 0 and _SECRET.search(name) is not None and not value.strip().startswith(("/", "$")):
        one = f"{name.strip()} = (not shown)"
    return one if len(one) <= TEXT_CHARACTERS_MAX else f"{one[:TEXT_CHARACTERS_MAX]}…"


def driver_text(driver: Driver, *, is_authenticator: bool = False) -> str:
    """A driver on one line. Of an authenticator nothing is shown that may be a password."""
    parts = [
        one.written
        for one in driver.settings.values()
        if not one.is_hidden
        and one.name != "debug_print"
        and (not is_authenticator or one.name in _SHOWN_OF_AUTHENTICATOR)
    ]
    return shown(f"{driver.name}: {'; '.join(parts)}")


def other_lines(old: Configuration, used: frozenset[str]) -> list[ReportLine]:
    """Lines about what is never carried. `used`: the names of transports by which mail goes on."""
    lines = [ReportLine(one.place, shown(one.written), Fate.NOT_CARRIED, one.why) for one in old.other]
    for name, transport in old.transports.items():
        if name in used:
            why = "TLS, limits and names are those of this server; a smart host's login is in [[route]]."
            lines.append(ReportLine(transport.place, driver_text(transport), Fate.CHANGED, why))
        else:
            why = TRANSPORTS.get(transport.kind, "No mail of a backup domain takes it.")
            lines.append(ReportLine(transport.place, driver_text(transport), Fate.NOT_CARRIED, why))
    for authenticator in old.authenticators:
        text = driver_text(authenticator, is_authenticator=True)
        if "server_condition" in authenticator.settings or "server_secret" in authenticator.settings:
            why = (
                "This server relays for no client, with or without a login: let people send by your provider."
            )
        else:
            why = "A login at a smart host is in [[route]], if there is one."
        lines.append(ReportLine(authenticator.place, text, Fate.NOT_CARRIED, why))
    for rule in old.rewrite:
        why = "No address is rewritten: mail is passed on as it came."
        lines.append(ReportLine(rule.place, shown(rule.written), Fate.NOT_CARRIED, why))
    return lines


def macro_lines(old: Configuration, answered: frozenset[OldPlace]) -> Iterator[ReportLine]:
    """Of the macros, but for those of `answered`: of them the answers themselves are reported."""
    for macro in old.macros:
        if macro.place not in answered:
            why = "It is replaced where it stands; see the lines that use it."
            yield ReportLine(macro.place, shown(macro.written), Fate.CARRIED, why)
