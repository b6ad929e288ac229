"""The records of a backup domain: its MTA-STS policy, our place among its mail hosts, TLS reports. Pure."""

from collections.abc import Iterator, Sequence

from secondpost.config.records import Backup, Config
from secondpost.mail.address import Domain
from secondpost.mail.questions import MxAnswer, MxRecord
from secondpost.mail.sts_policy import StsMode
from secondpost.protocols.mta_sts import (
    POLICY_HOST,
    Policy,
    StsFault,
    next_id,
    parse_id,
    parse_policy,
    policy_url,
)
from secondpost.setup.facts import Facts, StsFound
from secondpost.setup.own_policy import NULL_MX, POLICY_AGE_SECONDS, own_policy, policy_id
from secondpost.setup.records import PublishedBy, Turn, WantedRecord

FIRST_PREFERENCE = 10  # of a primary that we have to name
PREFERENCE_STEP = 10
PREFERENCE_MAX = 65_535  # 16 bits: RFC 1035 §3.3.9
FIRST_ID = "1"


def records_of_backup(config: Config, backup: Backup, facts: Facts) -> Iterator[WantedRecord]:
    yield from _policy(config, backup.domain, facts)
    yield from _mail_hosts(config, backup, facts)
    yield from _tls_reports(config, backup.domain)


def _policy(config: Config, domain: Domain, facts: Facts) -> Iterator[WantedRecord]:
    """RFC 8461 §8.3: the policy first, then a new id, and only then the MX record. If the policy names
    us, the id is right as it is: it was raised when the policy changed.
    """
    found = facts.sts.get(domain)
    if is_served_here(config, found):
        yield from _own_policy(config, domain, facts, found)
        return
    if found is None:
        return
    policy = _policy_of(found)
    if policy is not None and (policy.mode is StsMode.NONE or policy.names(config.hostname.name)):
        return
    wanted = wanted_policy(config, domain, facts, policy)
    why = "senders that obey this policy deliver only to the hosts that it names (MTA-STS)"
    yield WantedRecord(policy_url(domain.name), "text", wanted.text, why, Turn.POLICIES, PublishedBy.WEB)
    why = "a new id, so that senders fetch the policy again: publish it once the new policy is served"
    yield WantedRecord(f"_mta-sts.{domain}", "TXT", _next_id_record(found), why, Turn.POLICIES)


def is_served_here(config: Config, found: StsFound | None) -> bool:
    """Whether the policy is ours to serve: another server may have it already."""
    return config.policy_mode is not None and (found is None or found.leads_here)


def _own_policy(
    config: Config, domain: Domain, facts: Facts, found: StsFound | None
) -> Iterator[WantedRecord]:
    """The host of the policy that is served here, and its id."""
    answer = facts.mx.get(domain)
    policy = None if answer is None else own_policy(config, domain, answer)
    if policy is None:
        return
    is_new = found is None
    for address in facts.addresses:
        kind = "AAAA" if ":" in address else "A"
        why = f"senders fetch the policy of {domain} from this server (MTA-STS)"
        name = f"{POLICY_HOST}{domain}"
        yield WantedRecord(name, kind, address, why, Turn.POLICIES, is_optional=is_new)
    why = "senders ask for the policy when they see its id, which changes whenever the policy does"
    text = f"v=STSv1; id={policy_id(policy.text)}"
    yield WantedRecord(f"_mta-sts.{domain}", "TXT", text, why, Turn.POLICIES, is_optional=is_new)


def _policy_of(found: StsFound) -> Policy | None:
    """The policy; None if it cannot be fetched or understood."""
    try:
        return parse_policy(found.policy.text) if len(found.policy.problem) == 0 else None
    except StsFault:
        return None


def wanted_policy(config: Config, domain: Domain, facts: Facts, policy: Policy | None) -> Policy:
    """The served policy with this server added; if there is none, one that names the MX hosts."""
    if policy is not None:
        return policy.with_host(config.hostname.name)
    others = _others(config, facts.mx.get(domain))
    hosts = tuple(record.host for record in others)
    return Policy(StsMode.TESTING, POLICY_AGE_SECONDS, (*hosts, config.hostname.name))


def _next_id_record(found: StsFound) -> str:
    for text in found.ids:
        try:
            return f"v=STSv1; id={next_id(parse_id(text))}"
        except StsFault:
            continue
    return f"v=STSv1; id={FIRST_ID}"


def _mail_hosts(config: Config, backup: Backup, facts: Facts) -> Iterator[WantedRecord]:
    """Our place among the domain's MX hosts: the last one. One that is right already stays."""
    answer = facts.mx.get(backup.domain)
    others = _others(config, answer)
    if len(others) == 0:
        yield from _primaries(backup)
    ours = [record for record in _records(answer) if record.host == config.hostname.name]
    worst = max((record.preference for record in others), default=-1)
    stays = len(ours) == 1 and ours[0].preference > worst and len(others) > 0
    preference = ours[0].preference if stays else _own_preference(others)
    yield WantedRecord(
        backup.domain.name,
        "MX",
        f"{preference} {config.hostname}.",
        f"senders fall back to this server, after {_hosts_words(others)}{_room_words(worst)}",
        Turn.BACKUP,
    )


def _own_preference(others: Sequence[MxRecord]) -> int:
    """A preference that is worse than those of all other hosts."""
    worst = max((record.preference for record in others), default=FIRST_PREFERENCE)
    return min(worst + PREFERENCE_STEP, PREFERENCE_MAX)


def _room_words(worst: int) -> str:
    return f", which must get a number below {PREFERENCE_MAX} first" if worst == PREFERENCE_MAX else ""


def _hosts_words(others: Sequence[MxRecord]) -> str:
    if len(others) == 0:
        number = FIRST_PREFERENCE + PREFERENCE_STEP
        return f"the mail provider's own host, which needs an MX record with a number below {number}"
    return " and ".join(f"{record.host} ({record.preference})" for record in others)


def _primaries(backup: Backup) -> Iterator[WantedRecord]:
    """The zone names no other host. What the configuration knows of the primary is its address for us;
    if that is a name, it is likely its MX too.
    """
    names = [host.host for host in backup.primary if not host.is_address]
    for name in names:
        why = "the primary comes first: publish it before this server's record"
        yield WantedRecord(backup.domain.name, "MX", f"{FIRST_PREFERENCE} {name}.", why, Turn.BACKUP)


def _others(config: Config, answer: MxAnswer | None) -> tuple[MxRecord, ...]:
    found = [record for record in _records(answer) if record.host not in (config.hostname.name, NULL_MX)]
    return tuple(sorted(found))


def _records(answer: MxAnswer | None) -> tuple[MxRecord, ...]:
    return answer.records if answer is not None else ()


def _tls_reports(config: Config, domain: Domain) -> Iterator[WantedRecord]:
    if len(config.owner) > 0 and config.owner[0].local.isalnum():
        why = "large providers report once a day whether their mail came encrypted (TLS-RPT)"
        text = f"v=TLSRPTv1; rua=mailto:{config.owner[0]}"
        yield WantedRecord(f"_smtp._tls.{domain}", "TXT", text, why, Turn.BACKUP, is_optional=True)
