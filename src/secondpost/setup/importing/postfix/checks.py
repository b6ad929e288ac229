"""The report on the restrictions of a stage: which of them live on here, and which have no counterpart."""

import re
from collections.abc import Sequence

from secondpost.setup.importing.carried import Fate, OldPlace
from secondpost.setup.importing.own_names import NEEDS_NO_BACKUP, is_own_name
from secondpost.setup.importing.postfix.ledger import PostfixLedger
from secondpost.setup.importing.postfix.lookups import OldAddress
from secondpost.setup.importing.postfix.patterns import named_addresses
from secondpost.setup.importing.postfix.policy import (
    STRANGER_DOMAIN,
    OldAnswer,
    OldClass,
    OldDomains,
    OldPolicy,
)
from secondpost.setup.importing.postfix.recipients import access_tables
from secondpost.setup.importing.postfix.restrictions import (
    KNOWN_WORD,
    STAGES,
    Refuses,
    RestrictionStep,
    action_of,
)
from secondpost.setup.importing.postfix.settings import PostfixSettings
from secondpost.setup.importing.postfix.tables import ListedTable, PatternTable, TableValue, Unknowable
from secondpost.setup.importing.postfix.ways import OldWays

NAMES_SHOWN_MAX = 5  # of a list of domains

# Always so here: only recipients in [[backup]] are taken, and clients must speak properly.
_ALWAYS = frozenset(
    {
        "permit",
        "reject",
        "defer",
        "permit_auth_destination",
        "reject_unauth_destination",
        "defer_unauth_destination",
        "reject_unlisted_recipient",
        "check_recipient_maps",
        "reject_non_fqdn_recipient",
        "reject_unknown_recipient_domain",
    }
)
_FOR_CLIENTS = re.compile(r"permit_(?:mynetworks|sasl_authenticated|tls_\w*clientcerts|inet_interfaces)")

MX_BACKUP = (
    "permit_mx_backup took mail for every domain whose MX records name this server; here each domain needs a "
    "[[backup]] of its own: add those that are missing."
)


def say_policies(policies: Sequence[OldPolicy], ledger: PostfixLedger) -> None:
    for policy in policies:
        for name in policy.classes:
            ledger.carried("smtpd_restriction_classes")
            ledger.carried(name, why="It counts where a table or a list of restrictions names it.")
        ruling = policy.rule(OldAddress("someone", f"elsewhere.{STRANGER_DOMAIN}"))
        is_open = ruling.answer is not OldAnswer.REFUSED
        _say_restrictions(dict(policy.stages), tuple(policy.classes), ledger, is_open=is_open)


def say_domains(
    settings: PostfixSettings, domains: OldDomains, ledger: PostfixLedger, *, any_carried: bool
) -> None:
    for one, names in domains.lists.items():
        for trouble in names.unknown if one is OldClass.RELAY else ():
            ledger.not_carried(one.value, trouble)
    relayed = domains.lists[OldClass.RELAY]
    if relayed.takes_below and any_carried:
        why = (
            "Postfix took mail for every subdomain too (parent_domain_matches_subdomains); here a domain is "
            "only itself. Add a [[backup]] for each subdomain that gets mail."
        )
        ledger.changed("relay_domains", why)
    if not any_carried:
        ledger.not_carried("relay_domains", "No domain of it is carried: write each as a [[backup]].")
        for name in ("relay_recipient_maps", "transport_maps", "relay_transport"):
            if settings.is_set(name) and name not in ledger.marks:
                ledger.not_carried(name, "No domain is carried for which it would count.")
    for one in (OldClass.LOCAL, OldClass.ALIAS, OldClass.MAILBOX):
        if not settings.is_set(one.value):
            continue
        listed = tuple(domains.lists[one].names())
        own = frozenset(name for name in listed if is_own_name(name, settings.text("myhostname")))
        for name in sorted(own)[:NAMES_SHOWN_MAX]:
            ledger.not_carried(one.value, f"{name} {NEEDS_NO_BACKUP}.")
        others = [name for name in listed if name not in own]
        if len(others) > 0 or len(listed) == 0:
            shown = ", ".join(others[:NAMES_SHOWN_MAX])
            what = "rewritten to other addresses" if one is OldClass.ALIAS else "delivered on that machine"
            why = (
                f"Mail for these domains ({shown}) was {what}: it needs its own server, and is refused here."
            )
            ledger.not_carried(one.value, why)


def say_tables(
    policies: Sequence[OldPolicy], ways: OldWays, open_domains: Sequence[str], ledger: PostfixLedger
) -> None:
    """Entries that concern single addresses. `open_domains`: those that are carried without a list."""
    for table in ways.tables:
        for key, found in table.entries.items() if isinstance(table, ListedTable) else ():
            if "@" in key:
                why = "All mail of a domain goes one way here; this address had its own."
                ledger.table(found, Fate.NOT_CARRIED, why)
    patterns = [
        table for policy in policies for table in access_tables(policy) if isinstance(table, PatternTable)
    ]
    for table in patterns if len(open_domains) > 0 else ():
        for rule in table.rules.rules:
            if isinstance(action_of(rule.value), Refuses) and len(named_addresses(rule.written)) == 0:
                why = f"What it refused is taken where recipients are not listed, as for {open_domains[0]}."
                place = OldPlace(table.path, rule.line)
                entry = TableValue(rule.value, place, f"/{rule.written}/ {rule.value}")
                ledger.table(entry, Fate.CHANGED, why)


def _say_restrictions(
    stages: dict[str, tuple[RestrictionStep, ...]],
    classes: Sequence[str],
    ledger: PostfixLedger,
    *,
    is_open: bool,
) -> None:
    """`is_open`: strangers could send to anywhere."""
    for stage, steps in stages.items():
        name = STAGES[stage]
        if any(step.word in _ALWAYS or step.word == "check_recipient_access" for step in steps):
            ledger.carried(name)
        if any(_FOR_CLIENTS.fullmatch(step.word) is not None for step in steps):
            ledger.changed(name, "No client may send to other domains here, whatever its network or login.")
        if any(step.word == "defer_unauth_destination" for step in steps):
            ledger.changed(name, "Mail for other domains was deferred (454); here it is refused (550).")
        for step in steps:
            _say_step(step, name, classes, ledger)
    if is_open:
        why = (
            "The old server passed on mail from anyone to anywhere (an open relay). Here only mail for the "
            "domains of [[backup]] is taken."
        )
        ledger.not_carried(STAGES["relay"] if "relay" in stages else STAGES["recipient"], why)


def _say_step(step: RestrictionStep, name: str, classes: Sequence[str], ledger: PostfixLedger) -> None:
    if step.only_warns:
        ledger.carried(name, why=f"{step.word} only warned; it is left out.")
        return
    if step.word in _ALWAYS or _FOR_CLIENTS.fullmatch(step.word) is not None or step.word in classes:
        return
    if step.word == "check_recipient_access" and step.table is not None:
        unknown = step.table.lookup("")
        if isinstance(unknown, Unknowable) and not isinstance(step.table, PatternTable):
            ledger.not_carried(name, unknown.reason)
        else:
            ledger.carried(name, why=f"{step.argument} counts in which recipients are taken.")
    elif step.word == "reject_unverified_recipient":
        ledger.carried(name, why="The primary is asked about recipients (`learn`).")
    elif step.word == "permit_mx_backup":
        ledger.not_carried(name, MX_BACKUP)
    elif KNOWN_WORD.fullmatch(step.word) is None:
        ledger.not_carried(name, f"{step.word} is no restriction: Postfix refuses mail where it comes to it.")
    else:
        what = f"{step.word} {step.argument}".strip()
        ledger.not_carried(
            name, f"{what} is not asked here: what it refused is taken, and the primary decides."
        )
