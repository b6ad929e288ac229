"""How an issue stands, in sentences."""

from zoneinfo import ZoneInfo

import click

from secondpost.cli.command import Ending, Exit
from secondpost.cli.reader_mail import answer_text
from secondpost.cli.screen import counted
from secondpost.config.records import Newsletter
from secondpost.mail.issue import Issue, IssueState, Reckoning
from secondpost.mail.moment import zoned_text
from secondpost.store.newsletter_ports import ReaderDelivery
from secondpost.store.subscriber_ports import NewsletterStore

NUMBER_DIGITS_MAX = 9
NOT_RUNNING = "The service is NOT RUNNING: nothing is sent until it runs."


def standing_text(found: Issue, zone: ZoneInfo) -> str:
    """`zone`: the newsletter's."""
    match found.state:
        case IssueState.OPEN:
            return "open: not ready to be sent yet"
        case IssueState.FROZEN if found.start_ms is not None:
            return f"frozen: its first mail goes out {zoned_text(found.start_ms, zone)}"
        case IssueState.DONE | IssueState.STOPPED if found.finished_ms is not None:
            return f"{found.state} since {zoned_text(found.finished_ms, zone)}"
        case state:
            return state.value


def reckoning_text(reckoning: Reckoning) -> str:
    """Each number that is not zero, after how many were planned."""
    counts = {
        "delivered": reckoning.delivered,
        "suppressed": reckoning.suppressed,
        "failed": reckoning.failed,
        "expired": reckoning.expired,
        "stopped": reckoning.stopped,
        "unknown": reckoning.unknown,
        "still to be sent": reckoning.under_way,
    }
    told = ", ".join(f"{count:,} {word}" for word, count in counts.items() if count > 0)
    planned = f"{counted(reckoning.planned, 'reader', 'readers')} planned"
    return f"{planned}: {told}" if len(told) > 0 else planned


def deferred_text(deferred: int, last: ReaderDelivery) -> str:
    """How many of those under way were put off, and what was said to the last of them."""
    many = counted(deferred, "was tried and put off", "were tried and put off")
    return f"{many}, the last one by {answer_text(last)}"


def numbered(store: NewsletterStore, newsletter: Newsletter, text: str) -> Issue:
    """Raises UsageError, and Ending where there is no such issue."""
    if not (text.isascii() and text.isdigit() and len(text) <= NUMBER_DIGITS_MAX):
        raise click.UsageError(f"{text!r} is not the number of an issue, such as 12.")
    found = store.issue_by_number(newsletter.name, int(text))
    if found is None:
        raise Ending(f"{newsletter.name} has no issue {text}: `secondpost issue list` lists them", Exit.NO)
    return found
