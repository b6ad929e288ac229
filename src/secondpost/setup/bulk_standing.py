"""How this server stands with the rules of setup/bulk_rules: judged from what checks found, from trial
mails, and from what the store counted. Pure.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from secondpost.config.records import Config
from secondpost.mail.address import Domain
from secondpost.mail.duration import DAY_MS
from secondpost.mail.envelope import Lane
from secondpost.mail.plan import Plan
from secondpost.mail.provider import BY_KEY
from secondpost.route.destination import road_to
from secondpost.route.hosts import Ourselves
from secondpost.setup.bulk_rules import (
    BULK_MAILS_A_DAY,
    COMPLAINTS_AIM,
    COMPLAINTS_MAX,
    PROFILES_OF,
    BulkRule,
    RuleAsker,
    RuleStanding,
    RuleState,
)
from secondpost.setup.diagnosis import Check, Diagnosis, Grade
from secondpost.setup.duties import DKIM, DMARC, HOST, SPF, concerns, is_fault
from secondpost.setup.examination import in_words
from secondpost.setup.looks import Looking, SmtpLooks, Visited
from secondpost.setup.primary_look import looks_at, named, routed
from secondpost.setup.trial_mail import MailFault
from secondpost.setup.wanted import sender_domains, smart_host
from secondpost.store.provider_ports import ProviderDay

COUNTED_DAYS = 30
COUNTED_MS = COUNTED_DAYS * DAY_MS
MAILS_MIN = 1_000  # delivered to a provider; of fewer a single complaint would already be too many
TRIED = Domain("gmail.com")  # whose servers are asked for TLS
LOOKS_MAX = 2  # addresses of them
WORST_FIRST = (RuleState.BROKEN, RuleState.UNSEEN, RuleState.WATCHED, RuleState.KEPT)
# The checks of a rule, the most telling ones first.
DIAGNOSED = {
    BulkRule.SPF_AND_DKIM: (*reversed(SPF), *DKIM),
    BulkRule.DMARC: DMARC,
    BulkRule.REVERSE_NAME: tuple(reversed(HOST)),
    BulkRule.ONE_CLICK: (Check.LEAVE_LINK,),
}
OF_MAILS = (
    BulkRule.SPF_AND_DKIM,
    BulkRule.DMARC,
    BulkRule.ONE_CLICK,
    BulkRule.UNSUBSCRIBE_LINK,
    BulkRule.FROM,
    BulkRule.FORMAT,
)
IN_CONFIG = "correct the [[newsletter]] in the configuration"
MAIL_REMEDIES = {
    BulkRule.FROM: f"{IN_CONFIG}: from and reply_to",
    BulkRule.ONE_CLICK: 'url = "https://…" in [web]',
    BulkRule.SPF_AND_DKIM: "publish the DKIM records that secondpost check dns names",
    BulkRule.DMARC: "publish the DKIM records that secondpost check dns names",
}


@dataclass(frozen=True, slots=True)
class MonthCounts:
    """What the newsletter's store counted in the last COUNTED_DAYS."""

    days: Sequence[ProviderDay]
    complaints: Mapping[str, int]  # readers, by provider as in `days`


@dataclass(frozen=True, slots=True)
class NotCounted:
    why: str  # a sentence


NOTHING_SENT = NotCounted("No issue was sent yet.")


@dataclass(frozen=True, slots=True)
class Trial:
    """What a newsletter's trial mail does against rules; `why_not`: why there is none, "" if there is."""

    newsletter: str
    faults: tuple[MailFault, ...] = ()
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class BulkFacts:
    found: Collection[Diagnosis]  # of check dns, and of the look at the link to unsubscribe
    trials: Sequence[Trial]
    tls: RuleStanding
    counted: MonthCounts | NotCounted


def standings(config: Config, facts: BulkFacts) -> tuple[RuleStanding, ...]:
    """Of every rule, in their order."""
    return tuple(_standing(config, facts, rule) for rule in BulkRule)


def _standing(config: Config, facts: BulkFacts, rule: BulkRule) -> RuleStanding:
    if rule is BulkRule.TLS:
        return facts.tls
    if rule in (BulkRule.COMPLAINTS, BulkRule.VOLUME):
        if isinstance(facts.counted, NotCounted):
            return RuleStanding(rule, RuleState.UNSEEN, facts.counted.why)
        return (_complaints if rule is BulkRule.COMPLAINTS else _volume)(facts.counted)
    parts: list[RuleStanding] = []
    if rule in DIAGNOSED:
        parts.append(_diagnosed(config, facts, rule))
    if rule in OF_MAILS and not any(part.is_chosen for part in parts):
        parts += [_tried(rule, trial) for trial in facts.trials]
    worst = min(parts, key=lambda part: WORST_FIRST.index(part.state))
    if worst.state is not RuleState.KEPT:
        return worst
    return RuleStanding(rule, RuleState.KEPT, " ".join(part.text for part in parts))


# -- what checks found


def _diagnosed(config: Config, facts: BulkFacts, rule: BulkRule) -> RuleStanding:
    if rule is BulkRule.ONE_CLICK and config.web.url is None:
        text = "Readers leave by mail alone, and mail programs offer one click only with a page."
        return RuleStanding(rule, RuleState.BROKEN, text, 'url = "https://…" in [web]', is_chosen=True)
    host = smart_host(config, Lane.ISSUES)
    if rule is BulkRule.REVERSE_NAME and host is not None:
        text = f"Issues leave by the smart host {host.host}: the names of its addresses are its owner's."
        return RuleStanding(rule, RuleState.UNSEEN, text)
    ours = [one for domain in sender_domains(config) for one in facts.found if concerns(config, domain, one)]
    of_rule = [one for one in ours if one.check in DIAGNOSED[rule]]
    faults = list(dict.fromkeys(one for one in of_rule if is_fault(config, one)))
    if len(faults) > 0:
        more = f" And {len(faults) - 1} more, above." if len(faults) > 1 else ""
        return RuleStanding(rule, RuleState.BROKEN, f"{faults[0].text}{more}", faults[0].remedy)
    well = [one for one in of_rule if one.grade is Grade.WELL]
    if len(well) == 0:
        return RuleStanding(rule, RuleState.UNSEEN, *_why_unseen(rule, ours, of_rule))
    telling = min(well, key=lambda one: DIAGNOSED[rule].index(one.check))
    return RuleStanding(rule, RuleState.KEPT, telling.text)


def _why_unseen(rule: BulkRule, ours: Sequence[Diagnosis], of_rule: Sequence[Diagnosis]) -> tuple[str, str]:
    """A sentence, and what to do."""
    for one in (*of_rule, *(one for one in ours if one.check is Check.DNS_ANSWERS)):
        return one.text, one.remedy
    if rule is BulkRule.ONE_CLICK:
        return "The service was not started yet, so no page can be opened.", "secondpost serve"
    return "DNS says nothing about it.", "look again later"


# -- trial mails


def _tried(rule: BulkRule, trial: Trial) -> RuleStanding:
    name = f"An issue of {trial.newsletter}"
    if len(trial.why_not) > 0:
        return RuleStanding(rule, RuleState.UNSEEN, f"{name} could not be composed: {trial.why_not}.")
    faults = [one for one in trial.faults if one.rule is rule]
    sure = [one.text for one in faults if not one.is_unsure]
    remedy = MAIL_REMEDIES.get(rule, "secondpost issue preview")
    if len(sure) > 0:
        return RuleStanding(rule, RuleState.BROKEN, f"{name} {in_words(sure)}.", remedy)
    if len(faults) > 0:
        text = f"{name} {in_words([one.text for one in faults])}."
        return RuleStanding(rule, RuleState.UNSEEN, text, "look again later")
    return RuleStanding(rule, RuleState.KEPT, f"A trial mail of {trial.newsletter} keeps this rule.")


# -- TLS


def examine_tls_out(config: Config, us: Ourselves) -> Looking[RuleStanding]:
    """Asks the next server of mail to Google, as mail of issues goes there, for TLS; no mail is sent."""
    rule = BulkRule.TLS
    plan = yield from routed(config, Lane.ISSUES, road_to(config, Lane.ISSUES, TRIED), us)
    if not isinstance(plan, Plan):
        return RuleStanding(rule, RuleState.UNSEEN, f"No way to mailboxes at {TRIED} was found.")
    looks = looks_at(plan).looks[:LOOKS_MAX]
    seen = yield from SmtpLooks(looks).ask()
    for look, one in zip(looks, seen, strict=True):
        if isinstance(one, Visited) and one.tls is not None:
            return RuleStanding(rule, RuleState.KEPT, f"{named(look)} was reached over {one.tls}.")
        if isinstance(one, Visited):
            text = f"{named(look)} offers no STARTTLS to this server."
            remedy = "find out which firewall or proxy between here and there takes STARTTLS away"
            return RuleStanding(rule, RuleState.BROKEN, text, remedy)
    text = f"No server for mail to {TRIED} could be reached."
    return RuleStanding(rule, RuleState.UNSEEN, text, "secondpost check delivery")


# -- what the store counted


def _complaints(counted: MonthCounts) -> RuleStanding:
    rule = BulkRule.COMPLAINTS
    delivered: dict[str, int] = {}
    for day in counted.days:
        delivered[day.provider] = delivered.get(day.provider, 0) + day.delivered
    whole, complained = sum(delivered.values()), sum(counted.complaints.values())
    if whole == 0:
        text = f"No mail of an issue was delivered in the last {COUNTED_DAYS} days."
        return RuleStanding(rule, RuleState.UNSEEN, text)
    rates = list(_rates(delivered, counted.complaints))
    said = f"{complained} of {whole:,} mails in {COUNTED_DAYS} days brought a complaint"
    too_many = [f"{rate:.2%} at {name}" for name, rate in rates if rate >= COMPLAINTS_MAX]
    remedy = (
        "write only to those who asked for it; those who complained are in what secondpost subscribers "
        "export --state complained writes"
    )
    if len(too_many) > 0:
        return RuleStanding(rule, RuleState.BROKEN, f"{said}: {in_words(too_many)}.", remedy)
    many = [f"{rate:.2%} at {name}" for name, rate in rates if rate >= COMPLAINTS_AIM]
    high = f": {in_words(many)}" if len(many) > 0 else ""
    text = f"{said}{high}. Google reports none to senders: its Postmaster Tools show the rate there."
    return RuleStanding(rule, RuleState.WATCHED, text, "https://postmaster.google.com")


def _rates(delivered: Mapping[str, int], complaints: Mapping[str, int]) -> Iterator[tuple[str, float]]:
    """The rates of all together, and of each provider to which enough was delivered."""
    whole = sum(delivered.values())
    if whole >= MAILS_MIN:
        yield "all together", sum(complaints.values()) / whole
    for key, mails in delivered.items():
        if mails >= MAILS_MIN and key in BY_KEY:
            yield BY_KEY[key].name, complaints.get(key, 0) / mails


def _volume(counted: MonthCounts) -> RuleStanding:
    rule = BulkRule.VOLUME
    most = {
        asker: max((day.delivered for day in counted.days if day.provider == PROFILES_OF[asker]), default=0)
        for asker in rule.askers
    }
    shown = in_words([f"{mails:,} to {asker}" for asker, mails in most.items()])
    text = f"The most on one of the last {COUNTED_DAYS} days: {shown}."
    if max(most.values()) >= BULK_MAILS_A_DAY:
        text += " All these rules are enforced for your mail."
    else:
        text += f" From {BULK_MAILS_A_DAY:,} on, all these rules are enforced."
    if most[RuleAsker.GOOGLE] >= BULK_MAILS_A_DAY:
        text += " Google never lifts them again."
    return RuleStanding(rule, RuleState.WATCHED, text)
