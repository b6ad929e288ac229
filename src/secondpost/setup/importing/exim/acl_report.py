"""What became of each statement of the ACLs. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from secondpost.config.positions import KeyPath
from secondpost.setup.importing.carried import Fate, OldPlace, ReportLine
from secondpost.setup.importing.exim.acl import (
    AFTER_RCPT,
    BEFORE_RCPT,
    MODIFIERS,
    OF_CLIENT,
    UNSAID_OF_CLIENT,
)
from secondpost.setup.importing.exim.remarks import shown
from secondpost.setup.importing.exim.statements import AclStatement, Condition, Configuration

CONTENT = ("decode", "malware", "mime_regex", "regex", "spam")
RECIPIENT_STAGES = (*BEFORE_RCPT, "acl_smtp_rcpt", *AFTER_RCPT)

# What is said of a refusal by each kind of condition.
_REFUSALS: Mapping[str, str] = {
    "dnslists": "This server asks no block list: the primary, or its filter, may.",
    "ratelimit": "Rates of mail to known recipients are not limited; connections are ([receive]).",
    "spf": "SPF is evaluated and recorded, and nothing is refused for it: authenticate in [[backup]].",
    "dmarc_status": "DMARC is recorded; it refuses mail only with enforce_dmarc in [[backup]].",
    "hosts": "Clients are not refused by a list of addresses or names.",
    "senders": "Senders are not refused by a list.",
    "sender_domains": "Senders are not refused by a list.",
    "encrypted": "Encryption is offered, not demanded.",
}


def acl_lines(
    old: Configuration,
    admitted: Mapping[OldPlace, Sequence[KeyPath]],
    doubts: Mapping[OldPlace, str],
    asks: bool,
    open_at: OldPlace | None,
) -> Iterator[ReportLine]:
    """`admitted`: the backup domains that came in by a statement. `doubts`: why a statement refused a
    domain here that the old server may have taken. `asks`: whether recipients are asked for at the primary.
    `open_at`: the statement by which strangers could send anywhere.
    """
    used = frozenset(_used(old))
    stages = {(old.text(option) or "").strip() for option in RECIPIENT_STAGES}
    for name, statements in old.acls.items():
        for statement in statements:
            text = shown(statement.written)
            if name not in used:
                why = f"No mail from strangers comes through the ACL {name}."
                yield ReportLine(statement.place, text, Fate.NOT_CARRIED, why)
            elif statement.place == open_at:
                why = (
                    "Strangers could send anywhere by it: the old server is an open relay. This one is not; "
                    "look through the old log for those who used it."
                )
                yield ReportLine(statement.place, text, Fate.NOT_CARRIED, why)
            elif statement.place in admitted:
                yield _admitting(statement, text, admitted[statement.place], asks=asks)
            elif statement.place in doubts:
                why = f"It {doubts[statement.place]}: what it may refuse is not carried."
                yield ReportLine(statement.place, text, Fate.NOT_CARRIED, why)
            elif statement.verb == "accept" and name not in stages:
                why = "It exempts some from what another statement asks."
                yield ReportLine(statement.place, text, Fate.NOT_CARRIED, why)
            else:
                fate, why = _said(statement, asks=asks)
                yield ReportLine(statement.place, text, fate, why)


def _used(old: Configuration) -> Iterator[str]:
    """The ACLs that a message from outside goes through, and those that they call."""
    found = [(old.text(option) or "").strip() for option in RECIPIENT_STAGES]
    seen = set[str]()
    while len(found) > 0:
        name = found.pop()
        if name in seen or name not in old.acls:
            continue
        seen.add(name)
        yield name
        for statement in old.acls[name]:
            found += [
                one.value.split()[0]
                for one in statement.conditions
                if one.name == "acl" and one.value.split()
            ]


def _admitting(statement: AclStatement, text: str, becomes: Sequence[KeyPath], *, asks: bool) -> ReportLine:
    of_client = [one.name for one in statement.conditions if _is_of_client(one)]
    remarks = []
    if len(of_client) > 0:
        remarks.append(
            f"What it asks about the client ({', '.join(dict.fromkeys(of_client))}) is not asked here."
        )
    if asks and any(one.name == "verify" for one in statement.conditions):
        remarks.append("Known addresses are accepted also while the primary does not answer.")
    fate = Fate.CARRIED if len(remarks) == 0 else Fate.CHANGED
    return ReportLine(statement.place, text, fate, " ".join(remarks), tuple(becomes))


def _said(statement: AclStatement, *, asks: bool) -> tuple[Fate, str]:
    conditions = [one for one in statement.conditions if one.name not in MODIFIERS and one.name != "set"]
    names = [one.name for one in conditions]
    if statement.verb == "warn":
        return Fate.NOT_CARRIED, "Nothing is counted, logged or added to the message for it."
    if statement.verb == "accept":
        return _accepting(conditions)
    if statement.verb == "defer":
        return Fate.NOT_CARRIED, "No mail is deferred for it: there is no greylisting here."
    if any(name in CONTENT for name in names) or any(one.value.startswith("header") for one in conditions):
        return Fate.NOT_CARRIED, "Contents are not examined here: the primary does that."
    for name in names:
        if name in _REFUSALS:
            return Fate.NOT_CARRIED, _REFUSALS[name]
    if "verify" in names:
        return _verifying(conditions, asks=asks)
    if any(one.name == "local_parts" and "^" in one.value for one in conditions):
        why = (
            "An address with %, ! or a second @ before the domain is refused here unless it is listed; "
            "others are judged as any address."
        )
        return Fate.CHANGED, why
    if len(names) == 0 or set(names) <= {"domains"}:
        return Fate.CARRIED, "No other domain's mail is accepted here either."
    if "recipients" in names or "local_parts" in names:
        return Fate.CHANGED, "Which addresses are taken is in recipients of each [[backup]]."
    return Fate.NOT_CARRIED, "This server does not ask that."


def _accepting(conditions: Sequence[Condition]) -> tuple[Fate, str]:
    names = [one.name for one in conditions]
    if "authenticated" in names:
        return Fate.NOT_CARRIED, "This server relays for no client, with or without a login."
    if "hosts" in names or "senders" in names:
        return Fate.NOT_CARRIED, "This server relays for no client: let these send through your provider."
    if len(names) == 0:
        return Fate.CHANGED, "Only mail for the backup domains, and for postmaster, gets this far."
    if "local_parts" in names:
        return Fate.CHANGED, "Mail for the postmaster of each backup domain is always accepted."
    return Fate.NOT_CARRIED, "No domain that is passed on comes in by it."


def _verifying(conditions: Sequence[Condition], *, asks: bool) -> tuple[Fate, str]:
    values = [one.value for one in conditions if one.name == "verify"]
    if not any(value.startswith("recipient") for value in values):
        return Fate.NOT_CARRIED, "Senders, names and certificates of clients are not checked."
    if asks and any("callout" in value for value in values):
        why = "The primary is asked here too; what it said of an address is kept for when it is down."
        return Fate.CHANGED, why
    return Fate.CARRIED, "Every address of a backup domain has a way: to its primary."


def _is_of_client(condition: Condition) -> bool:
    if condition.name == "verify":
        return not condition.value.startswith("recipient")
    return (
        condition.name in ("hosts", "senders", "sender_domains")
        or condition.name in OF_CLIENT
        or condition.name in UNSAID_OF_CLIENT
    )
