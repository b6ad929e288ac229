"""Why the statements that gave nothing were not carried over, and what became of those that others use."""

from collections.abc import Iterator, Sequence

from secondpost.setup.importing.carried import Fate
from secondpost.setup.importing.opensmtpd.backups import MadeBackups
from secondpost.setup.importing.opensmtpd.ledger import SmtpdLedger
from secondpost.setup.importing.opensmtpd.matching import ReachOfRule
from secondpost.setup.importing.opensmtpd.statements import (
    SmtpdActionStatement,
    SmtpdFor,
    SmtpdIdle,
    SmtpdListener,
    SmtpdLocal,
    SmtpdPki,
    SmtpdRelay,
    SmtpdRule,
    SmtpdSaid,
    SmtpdSetting,
    SmtpdTableStatement,
)
from secondpost.setup.importing.opensmtpd.strangers import Strangers

OPEN_RELAY = (
    "It relays mail from anybody to anywhere, which makes an open relay: Secondpost is never one. "
    "Look through the logs and the queue of the old server, and close it."
)
LOCAL_MAILBOXES = (
    "Secondpost keeps no mailboxes. If another server has them from now on, back its domain up: [[backup]] "
    "with domain and primary."
)
NO_FORWARDING = "Secondpost forwards to no other address; let the domain's provider do it."
LOCAL_MAIL = (
    "It is for mail of the old machine itself, or of people who log in, which Secondpost does not take."
)
SOME_CLIENTS = (
    "It is for some clients or senders only. Here a domain is open to all or to nobody, so it would be "
    "opened to strangers. If that is right, write a [[backup]] for the domain."
)
SOME_CLIENTS_ANYWHERE = (
    "It relays to every domain for some clients or senders. Secondpost relays for no client: let these send "
    "through your provider."
)
PATTERN = "The domains that a pattern means cannot be listed; write a [[backup]] for each."
DECIDED_BEFORE = "An earlier line decides before it."
SOME_REFUSED = "Secondpost refuses no clients or senders by a list; let the primary do it, or a firewall."
REFUSED_ANYWAY = "What is no backup domain is refused anyway."
REFUSES_RECIPIENTS = "Addresses are not refused one by one; let the primary refuse these."

SETTINGS = {
    "bounce warn-interval": "Mail for a backup domain causes no mail to its sender while it waits.",
    "queue compression": "Mail is stored as it is.",
    "queue encryption": "The store is not encrypted; encrypt its disk.",
    "mta limit": "How fast each site takes mail is found out, within `connections_per_site` of [deliver].",
    "mta max-deferred": "The queue needs no such limit.",
    "mda limit": LOCAL_MAILBOXES,
    "mda wrapper": LOCAL_MAILBOXES,
    "smtp limit": "`recipients` and `connections` of [receive] limit what a client may do.",
    "smtp ciphers": "Secondpost's own choice of ciphers is used.",
    "smtp max-message-size": "It cannot be read as a size.",
    "smtp sub-addr-delim": "This character cannot be one of `delimiters`.",
    "queue ttl": "It cannot be read as a time.",
    "scheduler limit": "The queue needs no such limit.",
    "srs key": "Senders' addresses are not rewritten.",
    "srs ttl": "Senders' addresses are not rewritten.",
    "admd": "Authentication-Results bear `hostname`.",
    "proc": "Filters are not run: the primary judges the mail.",
    "filter": "Filters are not run: the primary judges the mail.",
    "enqueuer": "Filters are not run: the primary judges the mail.",
    "ca": "The authorities of the system are trusted, and no others.",
    "curve": "Secondpost's own choice of ciphers is used.",
}


def account_for_rest(
    ledger: SmtpdLedger,
    said: Sequence[SmtpdSaid],
    strangers: Strangers,
    made: MadeBackups,
    smart_rule: SmtpdRule | None,
) -> None:
    """`smart_rule`: that of the smart host."""
    for rule in (one for one in said if isinstance(one, SmtpdRule)):
        whys = tuple(_rule(rule, strangers, is_said=ledger.is_said(rule.statement)))
        for why in whys:
            ledger.say(rule.statement, Fate.NOT_CARRIED, why)
        _wildcards(ledger, rule, strangers, are_said=PATTERN in whys)
    used = dict(made.used)
    if (
        smart_rule is not None
        and isinstance(smart_rule.action, SmtpdRelay)
        and smart_rule.action.auth is not None
    ):
        used.setdefault(smart_rule.action.auth.name or "", []).append(("route", 0, "password_file"))
    for one in said:
        match one:
            case SmtpdTableStatement(statement=statement, table=table):
                keys = used.get(table.name or "", [])
                if not table.is_known:
                    fate = Fate.CHANGED if len(keys) > 0 else Fate.NOT_CARRIED
                    ledger.say(statement, fate, f"It {table.reason}.", *keys)
                elif len(keys) > 0:
                    ledger.say(statement, Fate.CARRIED, "", *keys)
                elif not ledger.is_said(statement):
                    ledger.say(statement, Fate.NOT_CARRIED, "No line that was carried over uses it.")
            case SmtpdActionStatement(statement=statement) if not ledger.is_said(statement):
                ledger.say(statement, Fate.NOT_CARRIED, _action(one))
            case SmtpdSetting(statement=statement) if not ledger.is_said(statement):
                why = SETTINGS.get(one.name, "Secondpost has no such setting.")
                ledger.say(statement, Fate.NOT_CARRIED, why)
            case SmtpdIdle(statement=statement):
                ledger.say(
                    statement,
                    Fate.CARRIED,
                    "Its value is used where its name stands." if statement.is_macro else "",
                )
            case SmtpdListener() | SmtpdPki() | SmtpdRule() | SmtpdActionStatement() | SmtpdSetting():
                pass


def _rule(rule: SmtpdRule, strangers: Strangers, *, is_said: bool) -> Iterator[str]:
    """Why it was not carried over, if it was not."""
    reach = strangers.reach(rule)
    if strangers.is_open_relay(rule):
        yield OPEN_RELAY
    elif is_said:
        return
    elif rule.action is None:
        yield from _refusal(rule, reach)
    elif reach is ReachOfRule.NONE:
        yield LOCAL_MAIL
    elif isinstance(rule.action, SmtpdLocal):
        yield NO_FORWARDING if rule.action.forwards_only else LOCAL_MAILBOXES
    elif reach is ReachOfRule.SOME:
        is_anywhere = rule.destination.kind is SmtpdFor.ANY or rule.destination.condition.is_not
        yield SOME_CLIENTS_ANYWHERE if is_anywhere and rule.recipient is None else SOME_CLIENTS
    elif _has_pattern(rule):
        yield PATTERN
    elif rule.destination.condition.table is not None and not rule.destination.condition.table.is_known:
        yield f"Its table of domains {rule.destination.condition.table.reason}."
    else:
        yield DECIDED_BEFORE


def _refusal(rule: SmtpdRule, reach: ReachOfRule) -> Iterator[str]:
    if reach is ReachOfRule.NONE:
        yield LOCAL_MAIL
    elif rule.recipient is not None:
        yield REFUSES_RECIPIENTS
    elif reach is ReachOfRule.SOME:
        yield SOME_REFUSED
    else:
        yield REFUSED_ANYWAY


def _has_pattern(rule: SmtpdRule) -> bool:
    condition = rule.destination.condition
    if condition.is_regex or rule.destination.kind is not SmtpdFor.DOMAINS or condition.table is None:
        return True
    return any("*" in one.key for one in condition.table.entries)


def _wildcards(ledger: SmtpdLedger, rule: SmtpdRule, strangers: Strangers, *, are_said: bool) -> None:
    """Of a list of domains, those that are patterns; `are_said`: at the rule, so not once more there."""
    condition = rule.destination.condition
    if rule.destination.kind is not SmtpdFor.DOMAINS or condition.table is None or condition.is_regex:
        return
    if not isinstance(rule.action, SmtpdRelay) or strangers.reach(rule) in (
        ReachOfRule.NONE,
        ReachOfRule.SOME,
    ):
        return
    for entry in condition.table.entries:
        if "*" in entry.key and not (are_said and entry.place == rule.statement.place):
            why = f'The domains that "{entry.key}" means cannot be listed; write a [[backup]] for each.'
            ledger.say_of(entry, Fate.NOT_CARRIED, why)


def _action(one: SmtpdActionStatement) -> str:
    if isinstance(one.action, SmtpdLocal):
        return NO_FORWARDING if one.action.forwards_only else LOCAL_MAILBOXES
    return "No line that was carried over uses it."
