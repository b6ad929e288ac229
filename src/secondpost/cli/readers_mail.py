"""The state of all mail to readers: for `status`, and for what lists of other mail leave out."""

from secondpost.cli.screen import say
from secondpost.mail.duration import age_text
from secondpost.owner.figures import counted
from secondpost.owner.reader_mail import answer_text
from secondpost.owner.readers_mail import FAILED_DAYS, ReadersMail
from secondpost.store.newsletter_store_ports import NewsletterDesk
from secondpost.store.owner_ports import Selection
from secondpost.store.standing_ports import MailToReaders

MATCHING_MAX = 1_000  # mails searched for with a list's filters
OWN = ("confirmation or test copy", "confirmations and test copies")
WHERE_TO_LOOK = "`secondpost issue status`, `secondpost subscribers show ADDRESS`"


def say_readers_mail(found: ReadersMail, now_ms: int) -> None:
    """Print the state; nothing if there is none to report."""
    if found.mail.not_ended > 0:
        say(f"Mail to readers: {standing_text(found.mail)}.")
    for site in found.down:
        age, again = age_text(now_ms - site.since_ms), age_text(site.next_probe_ms - now_ms)
        where = f"{site.site} ({site.cause}: {site.detail})"
        say(f"DOWN for {age}, for mail to readers: {where}; tried again in {again}.")
    if len(found.failed) > 0:
        many = counted(len(found.failed), "confirmation", "confirmations")
        last = found.failed[0]
        say(
            f"{many} failed in the last {FAILED_DAYS} days, the newest to {last.recipient}: "
            f"{answer_text(last) or last.state}"
        )


def standing_text(mail: MailToReaders) -> str:
    parts = []
    if mail.issues_waiting > 0:
        parts.append(_waiting(mail.issues_waiting, sum(mail.deferred.values()), "of an issue", "of issues"))
    if mail.own_waiting > 0:
        parts.append(_waiting(mail.own_waiting, mail.own_deferred, *OWN))
    if mail.frozen > 0:
        parts.append(f"{mail.frozen:,} planned for an issue that is not being sent yet")
    if mail.held > 0:
        parts.append(f"{mail.held:,} held")
    if mail.unknown > 0:
        parts.append(f"{counted(mail.unknown, 'mail', 'mails')} that may or may not have arrived")
    return ", ".join(parts)


def _waiting(waiting: int, deferred: int, one: str, many: str) -> str:
    text = f"{counted(waiting, one, many)} {'waits' if waiting == 1 else 'wait'}"
    return f"{text} ({deferred:,} put off so far)" if deferred > 0 else text


async def left_out_text(store: NewsletterDesk, selection: Selection | None) -> str:
    """What a list of other mail leaves out, within `selection`; "" if nothing."""
    if selection is None:
        mail = await store.mail_to_readers()
        if mail.not_ended == 0:
            return ""
        return f"Mail to readers is not in this list: {standing_text(mail)}. It is shown by {WHERE_TO_LOOK}."
    matching = len(await store.listed(selection, None, MATCHING_MAX))
    if matching == 0:
        return ""
    many = f"{matching:,} or more" if matching == MATCHING_MAX else f"{matching:,}"
    match = "mail matches" if matching == 1 else "mails match"
    return f"Mail to readers is not in this list: {many} {match}. It is shown by {WHERE_TO_LOOK}."
