"""What a primary's answers and our own store say of a backup domain: trust, catch-all, recipients, held mail.
Pure.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from secondpost.config.records import AnyRecipient, Backup, Config, LearnedRecipients
from secondpost.mail.duration import DAY_MS, duration_text
from secondpost.mail.reply import Reply
from secondpost.protocols.smtp.client import Phase, RecipientResult
from secondpost.setup.diagnosis import Check, Diagnosis, Grade

HELD_DAYS_WARNING = 1
PART_OF_KEEP_FAULT = 0.8  # of the time that mail is kept

TRUST_REMEDY = (
    "let the primary trust the addresses of this server: Postfix mynetworks, Exim relay_from_hosts, Google "
    "Workspace inbound gateway, Microsoft 365 inbound connector with enhanced filtering"
)


@dataclass(frozen=True, slots=True)
class StoredFacts:
    """What the store knows of a backup domain."""

    recipients_learned: int
    recipients_listed: int
    held: int  # deliveries that wait
    oldest_ms: int  # how long the oldest of them has waited


def examine_answers(
    config: Config, backup: Backup, host: str, answers: Sequence[RecipientResult]
) -> Iterator[Diagnosis]:
    """`answers`: for postmaster, and for an address that cannot exist."""
    domain = str(backup.domain)
    postmaster, stranger = answers
    if _is_about_us(postmaster):
        yield untrusted(backup, postmaster.reply, f"{host} refuses mail from us")
    elif postmaster.reply.is_temporary:
        text = f"{host} puts mail from us off: {postmaster.reply}."
        yield Diagnosis(Check.PRIMARY_TRUST, domain, Grade.NOTE, text, TRUST_REMEDY)
    elif not postmaster.reply.is_positive:
        text = (
            f"{host} takes no mail for postmaster@{domain}, which every domain must have: {postmaster.reply}."
        )
        yield Diagnosis(
            Check.PRIMARY_TRUST, domain, Grade.WARNING, text, f"make postmaster@{domain} at {host}"
        )
    else:
        yield Diagnosis(Check.PRIMARY_TRUST, domain, Grade.WELL, f"{host} takes mail from us.")
    if not postmaster.reply.is_positive:
        return
    if stranger.reply.is_positive:
        grade = Grade.NOTE if _has_list(backup) else Grade.WARNING
        text = f"{host} takes mail for every address of {domain}, even for one that cannot exist."
        remedy = f'recipients = ["file:/etc/secondpost/{domain}"] in its [[backup]] in {config.path}'
        yield Diagnosis(Check.PRIMARY_CATCH_ALL, domain, grade, text, remedy)
    else:
        yield Diagnosis(
            Check.PRIMARY_CATCH_ALL, domain, Grade.WELL, f"{host} refuses addresses that do not exist."
        )


def _has_list(backup: Backup) -> bool:
    return any(not isinstance(one, AnyRecipient | LearnedRecipients) for one in backup.recipients)


def _is_about_us(result: RecipientResult) -> bool:
    """Whether a refusal is a matter of policy about the sending server (RFC 3463 §3.8)."""
    reply = result.reply
    return reply.is_permanent and (reply.status.startswith("5.7.") or result.phase is Phase.MAIL)


def untrusted(backup: Backup, reply: Reply, what: str) -> Diagnosis:
    text = f"{what[0].upper()}{what[1:]}: {reply}."
    more = f"secondpost check delivery {backup.domain} --headers FILE prints the lines for its kind"
    return Diagnosis(Check.PRIMARY_TRUST, str(backup.domain), Grade.FAULT, text, f"{TRUST_REMEDY}\n{more}")


def examine_stored(backup: Backup, stored: StoredFacts) -> Iterator[Diagnosis]:
    yield _recipients(backup, stored)
    yield _held(backup, stored)


def _recipients(backup: Backup, stored: StoredFacts) -> Diagnosis:
    check, domain = Check.RECIPIENTS_KNOWN, str(backup.domain)
    known = stored.recipients_learned + stored.recipients_listed
    if AnyRecipient() in backup.recipients:
        return Diagnosis(check, domain, Grade.WELL, "Every address is taken, as the file says.")
    if known == 0:
        text = f'No recipient is known yet; others follow unknown = "{backup.unknown}".'
        remedy = f'recipients = ["learn", "file:/etc/secondpost/{domain}"] in its [[backup]]'
        return Diagnosis(check, domain, Grade.NOTE, text, remedy)
    text = f"{known:,} known: {stored.recipients_listed:,} listed, {stored.recipients_learned:,} learned."
    return Diagnosis(check, domain, Grade.WELL, text)


def _held(backup: Backup, stored: StoredFacts) -> Diagnosis:
    check, domain = Check.HELD_MAIL, str(backup.domain)
    if stored.oldest_ms < HELD_DAYS_WARNING * DAY_MS:
        return Diagnosis(check, domain, Grade.WELL, f"{stored.held:,} deliveries wait, none for a day.")
    days, keep = stored.oldest_ms // DAY_MS, duration_text(backup.keep_ms)
    text = f"{stored.held:,} deliveries wait, the oldest for {duration_text(days * DAY_MS)} of {keep}."
    late = stored.oldest_ms > backup.keep_ms * PART_OF_KEEP_FAULT
    remedy = f"keep = longer in its [[backup]], or read it: secondpost held list --domain {domain}"
    return Diagnosis(check, domain, Grade.FAULT if late else Grade.WARNING, text, remedy)
