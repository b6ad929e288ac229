"""The state of an issue, in sentences."""

from zoneinfo import ZoneInfo

from secondpost.mail.issue import Issue, IssueState, Reckoning
from secondpost.mail.moment import zoned_text
from secondpost.owner.figures import counted
from secondpost.owner.reader_mail import answer_text
from secondpost.store.newsletter_ports import ReaderDelivery


def standing_sentence(found: Issue, zone: ZoneInfo) -> str:
    """The state of an issue as a sentence that names it."""
    ended = found.finished_ms is not None and found.state in (IssueState.DONE, IssueState.STOPPED)
    text = (
        f"Issue {found.number} of {found.newsletter} {'was' if ended else 'is'} {standing_text(found, zone)}"
    )
    return text if text.endswith((".", "?", "!", "…")) else f"{text}."


def standing_text(found: Issue, zone: ZoneInfo) -> str:
    """The state of an issue, with the reason if it is held or was stopped; `zone` is the newsletter's."""
    match found.state:
        case IssueState.OPEN:
            return "open: not ready to be sent yet"
        case IssueState.FROZEN if found.start_ms is not None:
            return f"frozen: its first mail goes out {zoned_text(found.start_ms, zone)}"
        case IssueState.HELD:
            return f"held: {found.reason}"
        case IssueState.DONE if found.finished_ms is not None:
            return f"finished at {zoned_text(found.finished_ms, zone)}"
        case IssueState.STOPPED if found.finished_ms is not None:
            why = f": {found.reason}" if len(found.reason) > 0 else ""
            return f"stopped at {zoned_text(found.finished_ms, zone)}{why}"
        case state:
            return state.in_words


def reckoning_text(reckoning: Reckoning) -> str:
    """The planned number of readers, then each count that is not zero."""
    counts = {
        "delivered": reckoning.delivered,
        "suppressed": reckoning.suppressed,
        "failed": reckoning.failed,
        "expired": reckoning.expired,
        "stopped": reckoning.stopped,
        "unknown": reckoning.unknown,
        "still to be sent": reckoning.under_way,
    }
    text = ", ".join(f"{count:,} {word}" for word, count in counts.items() if count > 0)
    planned = f"{counted(reckoning.planned, 'reader', 'readers')} planned"
    return f"{planned}: {text}" if len(text) > 0 else planned


def deferred_text(deferred: int, last: ReaderDelivery) -> str:
    """How many mails under way were deferred, and the last reply to one."""
    many = counted(deferred, "was tried and put off", "were tried and put off")
    return f"{many}, the last one by {answer_text(last)}"
