"""Whether a newsletter is being renamed: nothing must be made of part of its data."""

from secondpost.store.newsletter_ports import IssueRefused
from secondpost.store.verbs.steps import Steps, rows


def is_being_renamed(newsletter: str) -> Steps[bool]:
    return len((yield from rows("naming.being_renamed", newsletter))) > 0


def refuse_half_renamed(newsletter: str) -> Steps[None]:
    """Raise IssueRefused if the newsletter is being renamed: some readers and articles still have
    another name.
    """
    if (yield from is_being_renamed(newsletter)):
        raise IssueRefused(f"{newsletter} is being renamed, and that is not finished yet")
