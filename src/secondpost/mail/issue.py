"""An issue of a newsletter: a digest of articles, or a letter.

These types cannot hold an empty issue: a digest has at least its minimum of articles, and at least
one; a letter has a body.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from secondpost.mail.queue_id import QueueId

IssueId = NewType("IssueId", int)
ArticleId = NewType("ArticleId", int)


class EmptyIssue(ValueError):
    """There are too few articles for a digest, or a letter is empty."""


class IssueKind(StrEnum):
    DIGEST = "digest"  # of articles of the feeds
    LETTER = "letter"  # written by hand


class IssueState(StrEnum):
    """The state of an issue; ISSUE_EDGES below are the transitions."""

    OPEN = "open"  # made, its content not yet fixed
    FREEZING = "freezing"  # a row is being written for each reader
    FROZEN = "frozen"  # readers and content are fixed; nothing was sent
    SENDING = "sending"
    HELD = "held"  # the owner, or too many bounces, halted it; nothing of it is sent
    DONE = "done"  # every reader is accounted for
    STOPPED = "stopped"  # the owner ended it

    @property
    def in_words(self) -> str:
        """The state as it follows "the issue is"."""
        match self:
            case IssueState.SENDING:
                return "being sent"
            case IssueState.FREEZING:
                return "being made ready"
            case _:
                return self.value


@dataclass(frozen=True, slots=True)
class IssueEdge:
    source: IssueState | None  # None: the issue is created
    target: IssueState
    when: str


ISSUE_EDGES: tuple[IssueEdge, ...] = (
    IssueEdge(None, IssueState.OPEN, "enough articles, or a letter"),
    IssueEdge(IssueState.OPEN, IssueState.FREEZING, "its content is fixed, and no other issue is under way"),
    IssueEdge(IssueState.FREEZING, IssueState.FROZEN, "there is a row for every reader: the count is right"),
    IssueEdge(IssueState.FREEZING, IssueState.OPEN, "the process died: its rows are swept away"),
    IssueEdge(IssueState.FROZEN, IssueState.SENDING, "the time to undo is over"),
    IssueEdge(IssueState.FROZEN, IssueState.HELD, "`issue hold`: it does not begin"),
    IssueEdge(IssueState.SENDING, IssueState.HELD, "`issue hold`, or too many bounces: the rest waits"),
    IssueEdge(IssueState.HELD, IssueState.FROZEN, "`issue resume`, before its first mail was to leave"),
    IssueEdge(IssueState.HELD, IssueState.SENDING, "`issue resume`: the rest goes on"),
    IssueEdge(IssueState.HELD, IssueState.STOPPED, "the owner ended it: the rest is stopped"),
    IssueEdge(IssueState.SENDING, IssueState.DONE, "nothing is under way, and the counts add up"),
    IssueEdge(IssueState.DONE, IssueState.SENDING, "the owner allowed one retry of what is unknown"),
    IssueEdge(IssueState.OPEN, IssueState.STOPPED, "the owner ended it: the articles wait again"),
    IssueEdge(IssueState.FROZEN, IssueState.STOPPED, "the owner ended it: the articles wait again"),
    IssueEdge(IssueState.SENDING, IssueState.STOPPED, "the owner ended it: the rest is stopped"),
)


def issue_sources_of(target: IssueState, *among: IssueState) -> tuple[IssueState, ...]:
    """The states from which an issue may come to `target`, limited to those in `among` if given."""
    sources = (edge.source for edge in ISSUE_EDGES if edge.target is target)
    return tuple(source for source in sources if source is not None and (len(among) == 0 or source in among))


@dataclass(frozen=True, slots=True)
class DigestDraft:
    """Enough articles for a digest, in its order. Raises EmptyIssue."""

    newsletter: str
    slot: str  # unique: at most one issue per slot key
    articles: tuple[ArticleId, ...]
    minimum: int

    def __post_init__(self) -> None:
        check_enough(len(self.articles), self.minimum)
        if len(set(self.articles)) < len(self.articles):
            raise ValueError("an article stands twice in the digest")


@dataclass(frozen=True, slots=True)
class LetterDraft:
    """A letter by hand. Raises EmptyIssue."""

    newsletter: str
    slot: str
    subject: str
    body: str  # as the owner wrote it

    def __post_init__(self) -> None:
        check_body(self.body)


def check_enough(articles: int, minimum: int) -> None:
    """Raise EmptyIssue unless there are at least `minimum` articles."""
    if minimum < 1:
        raise EmptyIssue(f"a digest has at least one article, and {minimum} were asked for")
    if articles < minimum:
        raise EmptyIssue(f"a digest needs {minimum} articles, and there are {articles}")


def check_body(body: str) -> None:
    """Raise EmptyIssue if a letter's body is blank."""
    if len(body.strip()) == 0:
        raise EmptyIssue("the letter is empty")


@dataclass(frozen=True, slots=True)
class Reckoning:
    """The number of an issue's readers by outcome. For a done issue they add up to `planned`."""

    planned: int
    delivered: int = 0
    suppressed: int = 0
    failed: int = 0
    expired: int = 0
    stopped: int = 0  # includes deliveries that the owner dropped
    unknown: int = 0
    under_way: int = 0  # frozen, waiting, claimed, committing or held

    @property
    def accounted(self) -> int:
        ended = self.delivered + self.suppressed + self.failed + self.expired + self.stopped
        return ended + self.unknown

    @property
    def adds_up(self) -> bool:
        return self.under_way == 0 and self.accounted == self.planned


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue in the store. Raises EmptyIssue: rows read obey the same rule as new ones."""

    id: IssueId
    newsletter: str
    number: int  # within its newsletter, from 1
    kind: IssueKind
    state: IssueState
    slot: str
    message: QueueId  # the one message to which all its deliveries belong
    subject: str  # "" before there is content
    body: str  # of a letter; the foreword of a digest
    article_count: int
    minimum: int  # of the newsletter when the issue was made; 0 for a letter
    planned: int  # readers; 0 before it was frozen
    created_ms: int
    start_ms: int | None = None  # when its first mail may leave; None before it was frozen
    finished_ms: int | None = None  # done or stopped
    reason: str = ""  # why it is held or was stopped

    def __post_init__(self) -> None:
        if self.kind is IssueKind.DIGEST:
            check_enough(self.article_count, self.minimum)
        else:
            check_body(self.body)
