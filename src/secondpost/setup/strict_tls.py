"""What senders can insist on: the TLSA records of this server (DANE), and the MTA-STS policies and TLS
reports of backup domains. Pure.
"""

from secondpost.config.records import Backup
from secondpost.mail.dns_questions import AskingZone, Tlsa, TlsaRecord
from secondpost.mail.questions import Finding, Txt
from secondpost.mail.sts_policy import StsMode
from secondpost.protocols.mta_sts import POLICY_HOST, Policy, StsFault, parse_id, parse_policy, policy_url
from secondpost.protocols.tls_reports import TlsReportsFault, check_tls_reports, is_tls_reports
from secondpost.setup.diagnosis import Check, Diagnosis, Grade
from secondpost.setup.examination import Examination, in_words, no_answer, other_hosts, txt_line, well
from secondpost.setup.facts import StsFound, signing_of
from secondpost.setup.own_policy import NULL_MX, policy_id
from secondpost.setup.wanted import tlsa_name
from secondpost.setup.wanted_backup import FIRST_ID, is_served_here, wanted_policy

USABLE_USAGES = (2, 3)  # RFC 7672 §3.1.3: the others are unusable for SMTP
OWN_KEY = (3, 1, 1)  # the usage, selector and matching type whose data we know


def examine_tlsa(it: Examination) -> AskingZone[tuple[Diagnosis, ...]]:
    name = tlsa_name(it.host)
    answer = yield from Tlsa(name).ask()
    is_signed = it.facts.host_signing.is_signed
    if answer.finding is Finding.FAILED and is_signed:
        # RFC 7672 §2.1.1: a failed look-up must not be taken for "no record".
        text = (
            f"DNS gave no usable answer about the TLSA records of {it.host}: strict senders keep their mail."
        )
        remedy = f"Look at the name servers of {it.host}, and whether each record at {name} is whole"
        return (Diagnosis(Check.TLSA_RECORD, it.host, Grade.FAULT, text, remedy),)
    if len(answer.records) > 0:
        return _published(it, answer.records, is_signed)
    if is_signed and it.facts.tls_key is not None:
        text = f"The zone of {it.host} is signed, but has no TLSA record for its mail."
        return (Diagnosis(Check.TLSA_RECORD, it.host, Grade.NOTE, text, it.lines(name, "TLSA")),)
    return ()


def _published(it: Examination, records: tuple[TlsaRecord, ...], is_signed: bool) -> tuple[Diagnosis, ...]:
    name = tlsa_name(it.host)
    if not is_signed:
        text = f"{it.host} has TLSA records, but its zone is not signed: no sender looks at them."
        remedy = f"Have the zone signed (DNSSEC), or remove the records at {name}"
        return (Diagnosis(Check.TLSA_SIGNED, it.host, Grade.WARNING, text, remedy),)
    usable = [record for record in records if record.usage in USABLE_USAGES]
    matching = [record for record in usable if _shape(record) == OWN_KEY and record.data == it.facts.tls_key]
    if len(matching) == 0:
        return (_no_match(it, usable),)
    found = [well(Check.TLSA_MATCH, it.host, f"A TLSA record names the key of {it.host}.")]
    if len(usable) == 1:
        text = f"{it.host} has one TLSA record: a new key would be refused until the record has changed."
        remedy = f"{name}. IN TLSA 3 1 1 the SHA-256 of the next key, before it is used"
        found.append(Diagnosis(Check.TLSA_ROLLOVER, it.host, Grade.NOTE, text, remedy))
    return tuple(found)


def _shape(record: TlsaRecord) -> tuple[int, int, int]:
    return record.usage, record.selector, record.matching


def _no_match(it: Examination, usable: list[TlsaRecord]) -> Diagnosis:
    remedy = it.lines(tlsa_name(it.host), "TLSA")
    if len(usable) == 0:
        text = f"The TLSA records of {it.host} have none of the usages 2 and 3, and mean nothing for mail."
        return Diagnosis(Check.TLSA_MATCH, it.host, Grade.WARNING, text, remedy)
    if it.facts.tls_key is None and it.config.tls.certificate is not None:
        text = (
            f"The TLSA records of {it.host} cannot be compared: {it.config.tls.certificate} cannot be read."
        )
        return Diagnosis(Check.TLSA_MATCH, it.host, Grade.NOTE, text, "as root: secondpost check dns")
    if it.facts.tls_key is None:
        text = f"{it.host} has TLSA records, but this server has no certificate: strict senders refuse it."
        remedy = f"Set certificate and key in [tls], or remove the records at {tlsa_name(it.host)}"
        return Diagnosis(Check.TLSA_MATCH, it.host, Grade.FAULT, text, remedy)
    if any(_shape(record) != OWN_KEY for record in usable):
        kinds = in_words([f"{it.usage} {it.selector} {it.matching}" for it in usable])
        text = f"The TLSA records of {it.host} are {kinds}; only 3 1 1 can be compared from here."
        return Diagnosis(Check.TLSA_MATCH, it.host, Grade.NOTE, text, remedy)
    text = f"No TLSA record of {it.host} names the key of its certificate: strict senders refuse it."
    return Diagnosis(Check.TLSA_MATCH, it.host, Grade.FAULT, text, remedy)


def examine_tlsa_of_others(it: Examination) -> AskingZone[tuple[Diagnosis, ...]]:
    """The primaries' TLSA records, where their zone is signed. Whether a record names the key can be seen
    only on a connection.
    """
    found: list[Diagnosis] = []
    for host in other_hosts(it):
        signing = yield from signing_of(host)
        if not signing.is_signed:
            continue
        answer = yield from Tlsa(tlsa_name(host)).ask()
        if answer.finding is Finding.FAILED:
            text = (
                f"DNS gave no usable answer about the TLSA records of {host}: strict senders keep their mail."
            )
            remedy = f"Tell the owner of {host}"
            found.append(Diagnosis(Check.TLSA_RECORD, host, Grade.WARNING, text, remedy))
        elif len(answer.records) == 0:
            text = f"The zone of {host} is signed, but has no TLSA record for its mail."
            found.append(
                Diagnosis(Check.TLSA_RECORD, host, Grade.NOTE, text, f"Ask the owner of {host} for one")
            )
        else:
            found.append(well(Check.TLSA_RECORD, host, f"{host} has TLSA records in a signed zone."))
    return tuple(found)


def examine_policy(it: Examination, backup: Backup) -> tuple[Diagnosis, ...]:
    """The MTA-STS of a backup domain, if it has any."""
    domain = backup.domain.name
    found = it.facts.sts.get(backup.domain)
    if found is None:
        return _not_asked_for(it, domain)
    identity = _identity(it, domain, found)
    if len(found.policy.problem) > 0 and is_served_here(it.config, found):
        why = found.policy.problem
        text = f"The MTA-STS policy of {domain}, which is served here, cannot be fetched: {why}."
        remedy = f"mta-sts.{domain} must be a name in this server's certificate: secondpost check security"
        return (identity, Diagnosis(Check.STS_POLICY, domain, Grade.WARNING, text, remedy))
    if len(found.policy.problem) > 0:
        text = f"The MTA-STS policy of {domain} cannot be fetched: {found.policy.problem}."
        remedy = f"Serve it at {policy_url(domain)}:\n{_wanted(it, backup)}"
        return (identity, Diagnosis(Check.STS_POLICY, domain, Grade.WARNING, text, remedy))
    try:
        policy = parse_policy(found.policy.text)
    except StsFault as fault:
        text = f"The MTA-STS policy of {domain} has a mistake: {fault}."
        remedy = f"Serve at {policy_url(domain)}:\n{_wanted(it, backup)}"
        return (identity, Diagnosis(Check.STS_POLICY, domain, Grade.WARNING, text, remedy))
    right = well(Check.STS_POLICY, domain, f"The MTA-STS policy of {domain} can be fetched and read.")
    return (identity, right, *_mode(it, domain, policy, found), *_hosts(it, backup, policy, found))


def _wanted(it: Examination, backup: Backup, policy: Policy | None = None) -> str:
    return wanted_policy(it.config, backup.domain, it.facts, policy).text.replace("\r\n", "\n").rstrip()


def _not_asked_for(it: Examination, domain: str) -> tuple[Diagnosis, ...]:
    """No sender asks for a policy whose id is not in DNS."""
    name = f"_mta-sts.{domain}"
    remedy = it.lines(name, "TXT")
    if not is_served_here(it.config, None) or len(remedy) == 0:
        return ()
    text = f"{domain} has no MTA-STS record, so no sender asks for the policy that is served here."
    hosts = [it.lines(f"{POLICY_HOST}{domain}", kind) for kind in ("A", "AAAA")]
    lines = "\n".join(part for part in (*hosts, remedy) if len(part) > 0)
    return (Diagnosis(Check.STS_ID, domain, Grade.NOTE, text, lines),)


def _identity(it: Examination, domain: str, found: StsFound) -> Diagnosis:
    name = f"_mta-sts.{domain}"
    if len(found.ids) > 1:
        text = f"{name} has {len(found.ids)} records, which count as none."
        return Diagnosis(
            Check.STS_ID, domain, Grade.FAULT, text, f"Keep only: {txt_line(name, found.ids[0])}"
        )
    try:
        identity = parse_id(found.ids[0])
    except StsFault as fault:
        text = f"The record at {name} has a mistake: {fault}."
        return Diagnosis(Check.STS_ID, domain, Grade.FAULT, text, txt_line(name, f"v=STSv1; id={FIRST_ID}"))
    served = policy_id(found.policy.text)
    if is_served_here(it.config, found) and len(found.policy.text) > 0 and identity != served:
        text = f"{name} has the id {identity}, but the policy has changed: senders keep the one they know."
        line = txt_line(name, f"v=STSv1; id={served}")
        return Diagnosis(Check.STS_ID, domain, Grade.WARNING, text, line)
    return well(Check.STS_ID, domain, f"{name} has one record, with the id {identity}.")


def _mode(it: Examination, domain: str, policy: Policy, found: StsFound) -> list[Diagnosis]:
    if policy.mode is StsMode.ENFORCE:
        return [well(Check.STS_MODE, domain, f"The MTA-STS policy of {domain} is enforced.")]
    text = f"The MTA-STS policy of {domain} has the mode {policy.mode}, which protects no mail."
    then = "once the TLS reports show no failures"
    remedy = f"mode: enforce (with a new id), {then}"
    if is_served_here(it.config, found):
        remedy = f'mta_sts = "enforce" in [tls] of {it.config.path}, {then}; then the new id'
    return [Diagnosis(Check.STS_MODE, domain, Grade.NOTE, text, remedy)]


def _hosts(it: Examination, backup: Backup, policy: Policy, found: StsFound) -> list[Diagnosis]:
    if policy.mode is StsMode.NONE:
        return []
    domain = backup.domain.name
    grade = Grade.FAULT if policy.mode is StsMode.ENFORCE else Grade.WARNING
    results: list[Diagnosis] = []
    if not policy.names(it.host):
        text = f"The MTA-STS policy of {domain} does not name {it.host}: strict senders will not use it."
        steps = [f"First serve at {policy_url(domain)}:", _wanted(it, backup, policy)]
        steps += ["Then raise the id:", it.text_line(f"_mta-sts.{domain}", "v=STSv1")]
        results.append(Diagnosis(Check.STS_HOSTS, domain, grade, text, "\n".join(steps)))
    records = it.facts.mx[backup.domain].records
    others = [record.host for record in records if record.host not in (it.host, NULL_MX)]
    left_out = [host for host in others if not policy.names(host)]
    if len(left_out) > 0:
        text = f"The MTA-STS policy of {domain} does not name {in_words(left_out)}, which its MX records do."
        remedy = "\n".join(f"mx: {host}" for host in left_out)
        results.append(Diagnosis(Check.STS_HOSTS, domain, grade, text, remedy))
    if len(results) == 0:
        results.append(well(Check.STS_HOSTS, domain, f"The MTA-STS policy of {domain} names its MX hosts."))
    return results


def examine_tls_reports(it: Examination, backup: Backup) -> AskingZone[tuple[Diagnosis, ...]]:
    domain, name = backup.domain.name, f"_smtp._tls.{backup.domain}"
    answer = yield from Txt(name).ask()
    texts = [text for text in answer.texts if is_tls_reports(text)]
    if answer.finding is Finding.FAILED:
        return (no_answer(domain, f"the TLS-RPT record of {domain}"),)
    if len(texts) == 0:
        text = f"{domain} asks for no reports about TLS."
        return (Diagnosis(Check.TLS_REPORTS, domain, Grade.NOTE, text, it.lines(name, "TXT")),)
    if len(texts) > 1:
        text = f"{name} has {len(texts)} records, which count as none."
        remedy = f"Keep only: {txt_line(name, texts[0])}"
        return (Diagnosis(Check.TLS_REPORTS, domain, Grade.WARNING, text, remedy),)
    try:
        check_tls_reports(texts[0])
    except TlsReportsFault as fault:
        text = f"The TLS-RPT record at {name} has a mistake: {fault}."
        return (Diagnosis(Check.TLS_REPORTS, domain, Grade.WARNING, text, it.lines(name, "TXT")),)
    return (well(Check.TLS_REPORTS, domain, f"Reports about TLS are asked for at {name}."),)
