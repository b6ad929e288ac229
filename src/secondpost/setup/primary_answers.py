"""What a primary's answers and our own store say of a backup domain: trust, catch-all, recipients, held mail.
Pure.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from secondpost.config.records import AnyRecipient, Backup, Config, LearnedRecipients
from secondpost.mail.duration import DAY_MS, duration_text
from secondpost.mail.reply import Reply
from secondpost.protocols.smtp.client import Phase, RecipientResult
from secondpost.setup.diagnosis import Check, Diagnosis, Grade
from secondpost.setup.primary_kind import kinds_of_host
from secondpost.setup.trust_settings import Relay, trust_settings

HELD_DAYS_WARNING = 1
PART_OF_KEEP_FAULT = 0.8  # of the time that mail is kept

_OF_SERVER = re.compile(
    r"block ?list|blacklist|\bblocked\b|spamhaus|\b(?:dns[bw]l|rbl|spf|ptr)\b|reverse dns|reputation",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class StoredFacts:
    """What the store knows of a backup domain."""

    recipients_learned: int
    recipients_listed: int
    held: int  # deliveries that wait
    oldest_ms: int  # how long the oldest of them has waited


def examine_answers(
    config: Config, backup: Backup, host: str, answers: Sequence[RecipientResult], relay: Relay
) -> Iterator[Diagnosis]:
    """`answers`: for postmaster, and for an address that cannot exist; `relay`: this server."""
    domain = str(backup.domain)
    postmaster, stranger = answers
    if postmaster.reply.is_permanent and is_about_us(postmaster):
        yield untrusted(backup, host, postmaster.reply, relay)
    elif postmaster.reply.is_temporary:
        text = f"{host} puts mail from us off: {postmaster.reply}."
        yield Diagnosis(Check.PRIMARY_TRUST, domain, Grade.NOTE, text, _trusted(host, relay))
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


def is_about_us(result: RecipientResult) -> bool:
    """A refusal by policy (RFC 3463 §3.8), of the sender <>, or in words that speak of the server."""
    reply = result.reply
    is_of_server = result.phase is Phase.MAIL or _OF_SERVER.search(reply.text) is not None
    return reply.status.startswith("5.7.") or is_of_server


def untrusted(backup: Backup, host: str, reply: Reply, relay: Relay) -> Diagnosis:
    text = f"{host} refuses mail from us: {reply}."
    return Diagnosis(Check.PRIMARY_TRUST, str(backup.domain), Grade.FAULT, text, _trusted(host, relay))


def _trusted(host: str, relay: Relay) -> str:
    """What makes the primary trust us."""
    return trust_settings(kinds_of_host((host,)), relay)


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
