"""What `subscribers bounces --json` prints."""

from dataclasses import dataclass

from secondpost.mail.issue import Issue
from secondpost.subscribers.weighing import UndecidedBounces


@dataclass(frozen=True, slots=True)
class ProviderBouncesDocument:
    """Bounces of an issue at one provider that wait for the owner."""

    newsletter: str
    issue: int
    provider: str
    name: str
    readers: int
    text: str


@dataclass(frozen=True, slots=True)
class UndecidedBouncesDocument:
    """The document of `subscribers bounces`."""

    bounces: list[ProviderBouncesDocument]


@dataclass(frozen=True, slots=True)
class DecidedBouncesDocument:
    """The document of `subscribers bounces --suspend` and `--forgive`."""

    decision: str
    readers: int


def undecided_document(issue: Issue, one: UndecidedBounces) -> ProviderBouncesDocument:
    return ProviderBouncesDocument(
        issue.newsletter, issue.number, one.provider, one.name, one.readers, one.text
    )
