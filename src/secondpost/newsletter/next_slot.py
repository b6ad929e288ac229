"""The slot that an issue by the calendar would have now."""

from collections.abc import Sequence

from secondpost.mail.calendar import SlotTimes
from secondpost.mail.issue import Issue
from secondpost.store.approval_ports import Approval
from secondpost.store.newsletter_store_ports import IssuesMade

READY = "ready-"  # of a digest that goes as soon as it is ready


async def next_slot(store: IssuesMade, newsletter: str, times: SlotTimes, newest: Sequence[Issue]) -> str:
    """The key of the slot; `newest` holds the newest issue, if there is one."""
    if times.due is not None:
        return times.due.key
    last_number = newest[0].number if len(newest) > 0 else 0
    asked = await store.newest_approval(newsletter)
    return ready_slot(await store.last_digest(newsletter), last_number, asked)


def ready_slot(last_digest: int, last_number: int, asked: Approval | None) -> str:
    """The key of the slot of the next digest that goes as soon as it is ready.

    Only a digest moves it on: a letter between the owner's approval and the issue ends no approval.
    `asked` is the newest approval. An older version counted letters too; what it asked for holds.
    """
    if asked is not None and asked.slot.startswith(READY):
        number = int(asked.slot.removeprefix(READY))
        if last_digest < number <= last_number + 1:
            return asked.slot
    return f"{READY}{last_digest + 1}"
