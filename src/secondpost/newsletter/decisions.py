"""What there may be instead of an issue, each with its sentence for the owner.

A digest cannot be made below its minimum here either: only Ready leads to one, and it is a DigestDraft,
whose constructor refuses fewer.
"""

from collections.abc import Callable
from dataclasses import dataclass

from secondpost.mail.issue import DigestDraft, Issue, IssueState
from secondpost.newsletter.calendar import SlotTime

When = Callable[[int], str]  # a moment in words, in the newsletter's zone


@dataclass(frozen=True, slots=True)
class Ready:
    draft: DigestDraft
    is_forced: bool = False
    answered: SlotTime | None = None  # by a forced one: the slot that waited for articles, or for approval

    def sentence(self, when: When) -> str:
        return f"{counted(len(self.draft.articles))}: the issue can go."


@dataclass(frozen=True, slots=True)
class TooFew:
    articles: int
    minimum: int
    next_ms: int | None  # None: as soon as there are enough
    spent: SlotTime | None = None  # the slot that is over with this
    waits_for_approval: bool = False  # even when there are enough

    def sentence(self, when: When) -> str:
        goes = "waits for your word" if self.waits_for_approval else "goes"
        ready = f"the issue {goes} as soon as there are enough"
        later = ready if self.next_ms is None else _next(self, when)
        return f"{self.articles} of {counted(self.minimum)}; {later}."


@dataclass(frozen=True, slots=True)
class NotDue:
    articles: int
    minimum: int
    next_ms: int

    def sentence(self, when: When) -> str:
        if self.articles < self.minimum:
            return f"{self.articles} of {counted(self.minimum)}; {_next(self, when)}."
        enough = "1 is" if self.minimum == 1 else f"{self.minimum} are"
        return f"{counted(self.articles)}, and {enough} enough; {_next(self, when)}."


@dataclass(frozen=True, slots=True)
class Settling:
    """There would be enough, but some are too fresh, or bear a date to come."""

    articles: int
    minimum: int
    until_ms: int

    def sentence(self, when: When) -> str:
        return f"{self.articles} of {counted(self.minimum)} have settled, the next {when(self.until_ms)}."


@dataclass(frozen=True, slots=True)
class InDoubt:
    """A feed could not be read or believed, and without what it would say there is not enough."""

    articles: int
    url: str
    finding: str
    last_ms: int | None = None  # when the slot ends without an issue; None: there is no fixed time

    def sentence(self, when: When) -> str:
        last = "" if self.last_ms is None else f", until {when(self.last_ms)} at the latest"
        waits = f"the issue waits until it is read again{last}"
        return f"The feed {self.url} is in doubt, and {waits}: {self.finding}"


@dataclass(frozen=True, slots=True)
class Unfinished:
    issue: Issue

    def sentence(self, when: When) -> str:
        number, stop = self.issue.number, f"secondpost issue stop {self.issue.newsletter} {self.issue.number}"
        match self.issue.state:
            case IssueState.OPEN:
                stands = f"it could not go out yet, and is tried again each hour, until you type: {stop}"
            case IssueState.FROZEN if self.issue.start_ms is not None:
                stands = f"its first mail leaves {when(self.issue.start_ms)}; to take it back before: {stop}"
            case IssueState.SENDING:
                stands = f"it is being sent; to stop the mails that still wait: {stop}"
            case _:
                stands = "it is being made ready for each reader"
        return f"Issue {number} is not finished: {stands}. The next one waits for it."


@dataclass(frozen=True, slots=True)
class ToApprove:
    newsletter: str
    articles: int
    last_ms: int | None = None  # when the slot ends without an issue; None: there is no fixed time

    def sentence(self, when: When) -> str:
        wait = "1 article waits" if self.articles == 1 else f"{self.articles} articles wait"
        last = "" if self.last_ms is None else f" until {when(self.last_ms)}"
        return f"{wait} for your word{last}: secondpost issue send {self.newsletter}."


@dataclass(frozen=True, slots=True)
class NotApproved:
    """Its time is over without that word."""

    newsletter: str
    slot: SlotTime
    next_ms: int | None

    def sentence(self, when: When) -> str:
        return (
            f"Nobody approved the issue of {when(self.slot.at_ms)} within 12 hours; {_next(self, when)}. "
            f"To send it now: secondpost issue send {self.newsletter}."
        )


@dataclass(frozen=True, slots=True)
class NoReaders:
    """An issue to nobody would use its articles up."""

    newsletter: str
    articles: int
    next_ms: int | None
    spent: SlotTime | None = None  # the slot that is over with this
    waits_for_approval: bool = False  # also when there is a reader

    def sentence(self, when: When) -> str:
        goes = "waits for your word" if self.waits_for_approval else "goes"
        later = f"the issue {goes} when somebody does" if self.next_ms is None else _next(self, when)
        add = f"secondpost subscribers add {self.newsletter} ADDRESS"
        return f"{counted(self.articles)}, but nobody reads it yet ({add}); {later}."


@dataclass(frozen=True, slots=True)
class GivenBack:
    """All that there is was in an issue that the owner stopped: the same issue does not make itself again."""

    newsletter: str
    articles: int

    def sentence(self, when: When) -> str:
        were = "1 article was" if self.articles == 1 else f"{self.articles} articles were"
        return (
            f"{were} in an issue that you stopped, and nothing else has come: the issue waits for another "
            f"article, or for your word: secondpost issue send {self.newsletter}."
        )


@dataclass(frozen=True, slots=True)
class Missed:
    slot: SlotTime
    next_ms: int | None

    def sentence(self, when: When) -> str:
        return f"The issue of {when(self.slot.at_ms)} was missed by more than 12 hours; {_next(self, when)}."


@dataclass(frozen=True, slots=True)
class ClockSetBack:
    recorded_ms: int

    def sentence(self, when: When) -> str:
        return f"The clock is behind {when(self.recorded_ms)}, when the last issue was decided: it waits."


Decision = (
    Ready
    | TooFew
    | NotDue
    | Settling
    | InDoubt
    | Unfinished
    | ToApprove
    | NotApproved
    | NoReaders
    | GivenBack
    | Missed
    | ClockSetBack
)


def counted(articles: int) -> str:
    return "1 article" if articles == 1 else f"{articles} articles"


def _next(decision: TooFew | NotDue | NotApproved | NoReaders | Missed, when: When) -> str:
    return "no next look" if decision.next_ms is None else f"next look {when(decision.next_ms)}"
