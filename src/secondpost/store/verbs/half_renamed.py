"""Whether a newsletter is just being moved to another name: nothing is made of what is half there."""

from secondpost.store.newsletter_ports import IssueRefused
from secondpost.store.verbs.steps import Steps, rows


def is_being_renamed(newsletter: str) -> Steps[bool]:
    return len((yield from rows("naming.being_renamed", newsletter))) > 0


def refuse_half_renamed(newsletter: str) -> Steps[None]:
    """Raises IssueRefused: some of its readers and articles still bear another name."""
    if (yield from is_being_renamed(newsletter)):
        raise IssueRefused(f"{newsletter} is being renamed, and that is not finished yet")
