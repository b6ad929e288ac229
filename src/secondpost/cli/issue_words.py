"""How an issue stands, in sentences."""

from zoneinfo import ZoneInfo

from secondpost.cli.screen import counted
from secondpost.mail.issue import Issue, IssueState, Reckoning
from secondpost.mail.moment import zoned_text

NOT_RUNNING = "The service is NOT RUNNING: nothing goes out before it is."


def standing_text(found: Issue, zone: ZoneInfo) -> str:
    """`zone`: the newsletter's."""
    match found.state:
        case IssueState.OPEN:
            return "open: made, and nobody gets it before it could be composed and frozen"
        case IssueState.FROZEN if found.start_ms is not None:
            return f"frozen: its first mail leaves {zoned_text(found.start_ms, zone)}"
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
        "under way": reckoning.under_way,
    }
    told = ", ".join(f"{count:,} {word}" for word, count in counts.items() if count > 0)
    planned = f"{counted(reckoning.planned, 'reader', 'readers')} planned"
    return f"{planned}: {told}" if len(told) > 0 else planned
